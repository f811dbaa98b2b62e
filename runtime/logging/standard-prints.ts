/**
 * Writes what applications print: as log lines, which the threads have labelled (`log.prints`), or unchanged to the process's own standard
 * output and standard error.
 */

import { formatLine } from '../../wire/log-line.ts';
import type { LogConfig } from '../config/config.ts';
import type { Prints } from '../pools/prints.ts';
import { BoundedOutput } from './bounded-output.ts';
import { isText, type Log, type LogOutput } from './log.ts';
import type { LogTail } from './log-tail.ts';

export function standardPrints(log: Log, config: LogConfig, output: LogOutput, tail: LogTail): Prints {
  return config.prints === 'labelled'
    ? labelledPrints(log, config, output, tail)
    : untouchedPrints(log, config.maxWaitingBytes);
}

function labelledPrints(log: Log, config: LogConfig, output: LogOutput, tail: LogTail): Prints {
  const lines = new BoundedOutput(output.stream, config.maxWaitingBytes, (writes) =>
    log.warn({ writes }, 'application output was dropped: the log did not accept it'),
  );
  const isForPeople = isText(config.format, output);
  const take = (piece: Uint8Array) => {
    if (tail.keepsNone && !isForPeople) {
      lines.write(piece);
      return;
    }
    for (const line of Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString().split('\n')) {
      if (line === '') continue;
      if (line.startsWith('{') && line.endsWith('}')) tail.push(`${line}\n`);
      lines.write(`${isForPeople ? shownLine(line, output.colour) : line}\n`);
    }
  };
  return { stdout: take, stderr: take, labels: { keepsObjects: !isForPeople, redact: config.redact } };
}

/**
 * Writes a line as text. A thread may print before labelling begins or bypass it, so the line can be
 * anything.
 */
function shownLine(line: string, colour: boolean): string {
  try {
    return line.startsWith('{') ? formatLine(line, colour) : line;
  } catch {
    // Not JSON: the thread printed it without a label.
    return line;
  }
}

function untouchedPrints(log: Log, maxWaitingBytes: number): Prints {
  const passed = (stream: 'stdout' | 'stderr') =>
    new BoundedOutput(process[stream], maxWaitingBytes, (writes) =>
      log.warn({ stream, writes }, 'application output was dropped: the stream did not accept it'),
    );
  const [stdout, stderr] = [passed('stdout'), passed('stderr')];
  return { stdout: (piece) => stdout.write(piece), stderr: (piece) => stderr.write(piece) };
}
