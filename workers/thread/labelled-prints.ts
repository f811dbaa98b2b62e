/**
 * Turns what an application prints into lines of the log that name who printed it. The lines are made in the
 * application's own thread, so an application that prints much pays for it itself.
 */
import type { PrintSettings, PrintStream } from '../../wire/control.ts';
import { Redaction } from '../../wire/redaction.ts';

/** Programs write to standard error what needs attention. */
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

  /** @param requestId of the request that the running code belongs to; empty: none, or unknown */
  constructor(settings: PrintSettings, printer: Printer, requestId: () => string) {
    this.#settings = settings;
    this.#printer = printer;
    this.#requestId = requestId;
    this.#redaction = new Redaction(settings.redact);
  }

  /** One write, with the line breaks within it, so a stack trace stays together. */
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

  /**
   * A line that is a JSON object stays one, as its logger has made it, with the labels that it lacks. Null:
   * it is none.
   */
  #ownLine(text: string, labels: object): string | null {
    if (!text.startsWith('{') || !text.endsWith('}') || text.includes('\n')) return null;
    let own: Record<string, unknown>;
    try {
      own = JSON.parse(text);
    } catch {
      // It only looks like JSON.
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
