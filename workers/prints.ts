/**
 * Bounds what an application has printed and the main thread not yet taken: it waits in this thread's heap, where a loop that
 * prints would fill it.
 */

import type { PrintStream } from '../wire/control.ts';

/** @param onDropped hears of the writes that were dropped when all that waited has been taken */
export function boundPrints(
  maxWaitingBytes: number,
  onDropped: (stream: PrintStream, writes: number) => void,
): void {
  for (const name of ['stdout', 'stderr'] as const) {
    bound(process[name], maxWaitingBytes, (writes) => onDropped(name, writes));
  }
}

type Write = (chunk: string | Uint8Array, ...more: unknown[]) => boolean;

function bound(
  stream: NodeJS.WriteStream,
  maxWaitingBytes: number,
  onDropped: (writes: number) => void,
): void {
  const write = stream.write.bind(stream) as Write;
  let dropped = 0;
  const writeBounded: Write = (chunk, ...more) => {
    const waiting = stream.writableLength;
    // What is larger by itself goes where nothing waits. What is no text or bytes the stream refuses.
    const { length = 0 } = chunk ?? {};
    if (waiting === 0 || waiting + length <= maxWaitingBytes) return write(chunk, ...more);
    dropped++;
    if (dropped === 1) {
      write('', () => {
        const writes = dropped;
        dropped = 0;
        onDropped(writes);
      });
    }
    const done = more.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return false;
  };
  stream.write = writeBounded as typeof stream.write;
}
