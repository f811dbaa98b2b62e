/**
 * Turns an application's output into log lines that name pool, thread and request. The lines are made in the
 * application's own thread, so an application that prints much pays for it itself.
 */
import type { PrintSettings, PrintStream } from '../../wire/control.ts';
import { Redaction } from '../../wire/redaction.ts';

/** Programs use standard error for messages that need attention. */
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

  /** @param requestId returns the identifier of the request whose code is running; empty: none, or unknown */
  constructor(settings: PrintSettings, printer: Printer, requestId: () => string) {
    this.#settings = settings;
    this.#printer = printer;
    this.#requestId = requestId;
    this.#redaction = new Redaction(settings.redact);
  }

  /** Makes one line from one write, including its line breaks, so that a stack trace stays together. */
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
   * If a line is a JSON object, returns that object with the labels that it lacks. Null: the line is not one.
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
