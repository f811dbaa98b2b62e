/**
 * What an application prints, as lines of the log that say who printed it. They are made in the application's own thread: one that prints
 * much pays for it itself.
 */
import type { PrintSettings, PrintStream } from '../../wire/control.ts';
import { Redaction } from '../../wire/redaction.ts';

/** Programs write to standard error what somebody should look at. */
const LEVELS = { stdout: 'info', stderr: 'warn' } as const;

interface Printer {
  readonly pool: string;
  readonly thread: string;
}

export class LabelledPrints {
  readonly #settings: PrintSettings;
  readonly #printer: Printer;
  readonly #requestId: () => string;
  readonly #redaction: Redaction;

  /** @param requestId of the request that the code which runs now belongs to; empty: of none, or nobody knows */
  constructor(settings: PrintSettings, printer: Printer, requestId: () => string) {
    this.#settings = settings;
    this.#printer = printer;
    this.#requestId = requestId;
    this.#redaction = new Redaction(settings.redact);
  }

  /** One write, with its line breaks if it has any within: a stack trace stays together. */
  line(stream: PrintStream, written: string): string {
    const text = written.endsWith('\n') ? written.slice(0, -1) : written;
    const requestId = this.#requestId();
    const labels = { ...this.#printer, ...(requestId !== '' && { requestId }) };
    const own = this.#settings.keepsObjects ? this.#ownLine(text, labels) : null;
    if (own !== null) return own;
    const time = new Date().toISOString();
    const line = JSON.stringify({
      level: LEVELS[stream],
      time,
      pid: process.pid,
      ...labels,
      stream,
      msg: text,
    });
    return `${line}\n`;
  }

  /** A line that is an object already stays one, as its logger has made it, with the labels that it has not. Null: it is none. */
  #ownLine(text: string, labels: object): string | null {
    if (!text.startsWith('{') || !text.endsWith('}') || text.includes('\n')) return null;
    let own: Record<string, unknown>;
    try {
      own = JSON.parse(text);
    } catch {
      // It only looks like one.
      return null;
    }
    const isRedacted = this.#redaction.members(own);
    const missing = Object.entries(labels).filter(([name]) => !Object.hasOwn(own, name));
    if (isRedacted) return `${JSON.stringify({ ...own, ...Object.fromEntries(missing) })}\n`;
    const more = missing.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
    if (more === '') return `${text}\n`;
    return `${text.slice(0, -1)}${Object.keys(own).length > 0 ? ',' : ''}${more}}\n`;
  }
}
