/**
 * The log: pino's, one JSON object a line, or lines for people on a terminal.
 *
 * Writing must not block the reactor, nor fill the memory, nor keep the process from ending when the reader
 * of standard output stalls or goes away. pino's own destinations block in one of these cases (the
 * asynchronous one at exit), so lines go to the stream itself, whose writes to a pipe never wait (see
 * `BoundedOutput`).
 */

import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { DEFAULT_MAX_ERROR_CHARS, describeError, type ErrorReport } from '../../wire/error-report.ts';
import { formatLine } from '../../wire/log-line.ts';
import type { LogConfig } from '../config/config.ts';
import { BoundedOutput, type OutputStream } from './bounded-output.ts';
import { LogFile } from './log-file.ts';
import type { LogTail } from './log-tail.ts';

export type Log = Logger;

export type LogOptions = Pick<LogConfig, 'level' | 'format'> & Partial<LogConfig>;

export interface LogOutput {
  readonly stream: OutputStream;
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Absent if the log goes to standard output. */
  readonly file?: LogFile;
}

const DROPPED = {
  stdout: 'log lines were dropped: standard output did not accept them',
  file: 'log lines were dropped: the log file did not accept them',
} as const;

/** Where the configuration says that the log goes. @throws LogFileError */
export function configuredOutput({ file }: LogConfig): LogOutput {
  if (file === null) return standardOutput();
  const stream = new LogFile(file);
  return { stream, isTerminal: false, colour: false, file: stream };
}

/** The log goes to standard output. A NO_COLOR that is not empty turns colours off (no-color.org). */
export function standardOutput(): LogOutput {
  const isTerminal = process.stdout.isTTY === true;
  return { stream: process.stdout, isTerminal, colour: isTerminal && !process.env.NO_COLOR };
}

export function createLog(
  { level, format, maxErrorChars = DEFAULT_MAX_ERROR_CHARS, maxWaitingBytes = Infinity }: LogOptions,
  output: LogOutput = standardOutput(),
  tail: LogTail | null = null,
): Log {
  const text = isText(format, output);
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: (error: unknown) => logged(describeError(error, maxErrorChars)) },
  };
  const lines = new BoundedOutput(output.stream, maxWaitingBytes, (dropped) =>
    log.warn({ lines: dropped }, DROPPED[output.file === undefined ? 'stdout' : 'file']),
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

/** An error in a line: the members of pino's own serializer, from a report that is safe and bounded. */
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
 * Resolves when everything logged so far has been written or cannot be written any more, or after `limitMs`:
 * a stalled reader must not keep the process from ending.
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

/** Whether lines are written as text for people. */
export function isText(format: LogConfig['format'], { isTerminal }: LogOutput): boolean {
  return format === 'text' || (format === 'auto' && isTerminal);
}
