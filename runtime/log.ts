/**
 * The log: pino's, one JSON object a line, or lines for people on a terminal.
 *
 * Writing must not block the reactor, nor fill the memory, nor keep the process from ending when whoever reads
 * standard output stalls or goes away. pino's own destinations block in one of these cases (the asynchronous one
 * at exit), so lines go to the stream itself, whose writes to a pipe never wait. Beyond `maxWaitingBytes` they are
 * dropped, counted, and the count is logged when the reader is back.
 */

import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { DEFAULT_MAX_ERROR_CHARS, describeError, type ErrorReport } from '../wire/error-report.ts';
import type { LogConfig } from './config/config.ts';

export type Log = Logger;

export type LogOptions = Pick<LogConfig, 'level' | 'format'> & Partial<LogConfig>;

export interface LogOutput {
  readonly stream: Writable;
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** What a reader that stalls may keep in memory; default 4 MiB. */
  readonly maxWaitingBytes?: number;
}

const defaultMaxWaitingBytes = 4 * 1_048_576;

/** Standard output as it is; a NO_COLOR that is not empty turns colour off (no-color.org). */
export function standardOutput(): LogOutput {
  const isTerminal = process.stdout.isTTY === true;
  return { stream: process.stdout, isTerminal, colour: isTerminal && !process.env.NO_COLOR };
}

export function createLog(
  { level, format, maxErrorChars = DEFAULT_MAX_ERROR_CHARS }: LogOptions,
  output: LogOutput = standardOutput(),
): Log {
  const text = format === 'text' || (format === 'auto' && output.isTerminal);
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => logged(describeError(error, maxErrorChars)) },
  };
  const sink = new LogSink(output, text);
  const log = pino(options, sink);
  sink.onDropped = (lines) => log.warn({ lines }, 'log lines were dropped: standard output was not read');
  return log;
}

/** An error in a line: the members that pino's own serializer gives it, made of what is safe and bounded. */
function logged(report: ErrorReport): object {
  const { name, message, stack, code, errors } = report;
  let messages = message;
  let stacks = stack;
  for (let cause = report.cause; cause !== undefined; cause = cause.cause) {
    messages += `: ${cause.message}`;
    stacks += `\ncaused by: ${cause.stack || cause.message}`;
  }
  return {
    type: name || 'Error',
    message: messages,
    stack: stacks,
    ...(code !== undefined && { code }),
    ...(errors && { aggregateErrors: errors.map(logged) }),
  };
}

/**
 * Resolves when everything logged so far has been written, or can no longer be, or after `limitMs`: a reader
 * that stalls must not keep the process from ending.
 */
export function flushLog(log: Log, limitMs = 1_000): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    log.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

class LogSink implements DestinationStream {
  onDropped: (lines: number) => void = () => {};
  readonly #stream: Writable;
  readonly #maxWaitingBytes: number;
  readonly #text: boolean;
  readonly #colour: boolean;
  #state: 'writing' | 'gone' = 'writing';
  #dropped = 0;

  constructor({ stream, colour, maxWaitingBytes = defaultMaxWaitingBytes }: LogOutput, text: boolean) {
    this.#stream = stream;
    this.#maxWaitingBytes = maxWaitingBytes;
    this.#text = text;
    this.#colour = colour;
    // Whoever read the log has gone (EPIPE): the server goes on, and there is no one left to tell.
    stream.on('error', () => {
      this.#state = 'gone';
    });
  }

  /** Called by pino with one JSON line and its line break. */
  write(line: string): void {
    if (this.#state === 'gone') return;
    if (this.#stream.writableLength >= this.#maxWaitingBytes) this.#drop();
    else this.#stream.write(this.#text ? `${formatLine(line, this.#colour)}\n` : line);
  }

  /** Called by pino's own `flush`. */
  flush(done: (error?: Error) => void): void {
    if (this.#state === 'gone') done();
    else this.#stream.write('', () => done());
  }

  #drop(): void {
    this.#dropped += 1;
    if (this.#dropped > 1) return;
    // Called when the reader has taken everything that waits now; not when it has gone.
    this.#stream.write('', (error) => {
      const lines = this.#dropped;
      this.#dropped = 0;
      if (!error) this.onDropped(lines);
    });
  }
}

/** SGR codes; bright where a person should look. */
const levelColours: Readonly<Record<string, number>> = { warn: 33, error: 31, fatal: 91, info: 32 };
const dim = 2;

/**
 * One of pino's JSON lines for a person: `12:00:00.000 info  message key=value`, an error's stack below it.
 * The time is UTC, as in the JSON. Control characters are escaped: what a peer sent must not drive a terminal.
 */
export function formatLine(line: string, colour: boolean): string {
  const paint = (text: string, code: number) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { time, level, msg, pid: _pid, err, ...rest } = JSON.parse(line);
  const parts = [
    paint(String(time).slice(11, 23), dim),
    paint(String(level).padEnd(5), levelColours[level] ?? dim),
  ];
  if (msg !== undefined) parts.push(printable(String(msg)));
  for (const [key, value] of Object.entries(rest)) {
    parts.push(`${paint(`${key}=`, dim)}${printable(quoted(value))}`);
  }
  if (err === undefined) return parts.join(' ');
  const trace = err?.stack ?? err?.message ?? JSON.stringify(err);
  return `${parts.join(' ')}\n${printable(String(trace)).replace(/^/gm, '    ')}`;
}

/** Strings bare where nothing can be mistaken; anything else as JSON. */
function quoted(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@*[\]+-]+$/.test(value) ? value : JSON.stringify(value);
}

function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
