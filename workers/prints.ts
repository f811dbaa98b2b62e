/**
 * Bounds what an application has printed and the main thread not yet taken: it waits in this thread's heap, where a loop that
 * prints would fill it.
 */

import type { PrintStream } from '../wire/control.ts';
import type { LabelledPrints } from './labelled-prints.ts';

/**
 * @param onDropped hears of the writes that were dropped when all that waited has been taken
 * @param labels makes lines of what is written; null: it goes as it is
 */
export function boundPrints(
  maxWaitingBytes: number,
  onDropped: (stream: PrintStream, writes: number) => void,
  labels: LabelledPrints | null = null,
): void {
  for (const name of ['stdout', 'stderr'] as const) {
    bound(process[name], maxWaitingBytes, (writes) => onDropped(name, writes));
    if (labels !== null) label(process[name], (text) => labels.line(name, text));
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

/** What is no text or bytes the stream refuses. */
function label(stream: NodeJS.WriteStream, lineOf: (text: string) => string): void {
  const write = stream.write.bind(stream) as Write;
  const writeLabelled: Write = (chunk, ...more) => {
    if (typeof chunk === 'string') {
      const encoding = typeof more[0] === 'string' ? (more.shift() as BufferEncoding) : 'utf8';
      const isText = encoding === 'utf8' || encoding === 'utf-8';
      return write(lineOf(isText ? chunk : Buffer.from(chunk, encoding).toString()), ...more);
    }
    if (!(chunk instanceof Uint8Array)) return write(chunk, ...more);
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    return write(lineOf(bytes.toString()), ...more);
  };
  stream.write = writeLabelled as typeof stream.write;
}
