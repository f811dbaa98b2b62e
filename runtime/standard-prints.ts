/** What applications print goes to the process's own standard output and standard error, as it is. */

import { BoundedOutput } from './bounded-output.ts';
import type { Log } from './log.ts';
import type { Prints } from './pools/prints.ts';

export function standardPrints(log: Log, maxWaitingBytes: number): Prints {
  const output = (stream: 'stdout' | 'stderr') =>
    new BoundedOutput(process[stream], maxWaitingBytes, (writes) =>
      log.warn({ stream, writes }, 'application output was dropped: the stream did not accept it'),
    );
  const [stdout, stderr] = [output('stdout'), output('stderr')];
  return { stdout: (piece) => stdout.write(piece), stderr: (piece) => stderr.write(piece) };
}
