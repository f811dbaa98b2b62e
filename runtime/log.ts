/**
 * The log: pino's, one JSON object a line, or lines for people on a terminal.
 *
 * Writing must not block the reactor, nor fill the memory, nor keep the process from ending when whoever reads
 * standard output stalls or goes away. pino's own destinations block in one of these cases (the asynchronous one
 * at exit), so lines go to the stream itself, whose writes to a pipe never wait (see `BoundedOutput`).
 */

import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { DEFAULT_MAX_ERROR_CHARS, describeError, type ErrorReport } from '../wire/error-report.ts';
import { BoundedOutput } from './bounded-output.ts';
import type { LogConfig } from './config/config.ts';
import type { LogTail } from './log-tail.ts';

export type Log = Logger;

export type LogOptions = Pick<LogConfig, 'level' | 'format'> & Partial<LogConfig>;

export interface LogOutput {
  readonly stream: Writable;
  readonly isTerminal: boolean;
  readonly colour: boolean;
}

/** Standard output as it is; a NO_COLOR that is not empty turns colour off (no-color.org). */
export function standardOutput(): LogOutput {
  const isTerminal = process.stdout.isTTY === true;
  return { stream: process.stdout, isTerminal, colour: isTerminal && !process.env.NO_COLOR };
}

export function createLog(
  { level, format, maxErrorChars = DEFAULT_MAX_ERROR_CHARS, maxWaitingBytes = Infinity }: LogOptions,
  output: LogOutput = standardOutput(),
  tail: LogTail | null = null,
): Log {
  const text = format === 'text' || (format === 'auto' && output.isTerminal);
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => logged(describeError(error, maxErrorChars)) },
  };
  const lines = new BoundedOutput(output.stream, maxWaitingBytes, (dropped) =>
    log.warn({ lines: dropped }, 'log lines were dropped: standard output did not accept them'),
  );
  const sink: DestinationStream & { flush(done: () => void): void } = {
    /** Called by pino with one JSON line and its line break. */
    write: (line) => {
      tail?.push(line);
      lines.write(text ? `${formatLine(line, output.colour)}\n` : line);
    },
    /** Called by pino's own `flush`. */
    flush: (done) => lines.flush(done),
  };
  const log: Log = pino(options, sink);
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
