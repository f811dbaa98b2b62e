/**
 * Bounds what an application has printed and the main thread has not taken. It waits in this thread's heap,
 * which a loop that prints would fill.
 */

import type { PrintStream } from '../../wire/control.ts';
import type { LabelledPrints } from './labelled-prints.ts';

/**
 * @param onDropped called with the number of dropped writes when all that waited has been taken
 * @param labels makes lines of what is written; null: it goes as it is
 */
export function boundPrints(
  maxWaitingBytes: number,
  onDropped: (stream: PrintStream, writes: number) => void,
  labels: LabelledPrints | null = null,
): void {
  for (const name of ['stdout', 'stderr'] as const) {
    // Half a line of JSON cannot be parsed, so labelled lines are not cut.
    bound(process[name], maxWaitingBytes, labels === null, (writes) => onDropped(name, writes));
    if (labels !== null) label(process[name], maxWaitingBytes, (text) => labels.line(name, text));
  }
}

/** UTF-8 takes at most so many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_CHARACTER = 3;
/** A smaller excess of the memory behind some bytes is not worth a copy. */
const SLACK_BYTES = 65_536;
const NEW_LINE = 0x0a;

type Write = (chunk: string | Uint8Array, ...more: unknown[]) => boolean;

function bound(
  stream: NodeJS.WriteStream,
  maxWaitingBytes: number,
  cuts: boolean,
  onDropped: (writes: number) => void,
): void {
  const write = stream.write.bind(stream) as Write;
  let dropped = 0;
  const writeBounded: Write = (chunk, ...more) => {
    const waiting = stream.writableLength;
    const room = maxWaitingBytes - waiting;
    if (bytesOf(chunk, more[0], room) <= room) return write(compact(chunk), ...more);
    dropped++;
    if (dropped === 1) {
      write('', () => {
        const writes = dropped;
        dropped = 0;
        onDropped(writes);
      });
    }
    // A dump that is too long by itself is cut, because its beginning is most useful. The rest of the room is
    // for the note about that.
    if (cuts && waiting === 0)
      return write(beginningOf(chunk, more[0], maxWaitingBytes >> 1), ...more.slice(-1).filter(isFunction));
    const done = more.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return false;
  };
  stream.write = writeBounded as typeof stream.write;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/**
 * Exact where it comes close to the limit. Values that are neither text nor bytes are refused by the stream.
 */
function bytesOf(chunk: string | Uint8Array, encoding: unknown, room: number): number {
  if (typeof chunk !== 'string') return chunk?.length ?? 0;
  if (chunk.length * MAX_BYTES_PER_CHARACTER <= room || chunk.length > room) return chunk.length;
  return Buffer.byteLength(chunk, encodingOf(encoding));
}

function encodingOf(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

/** A message carries all of the memory that bytes are a part of. */
function compact(chunk: string | Uint8Array): string | Uint8Array {
  if (!(chunk instanceof Uint8Array) || chunk.buffer.byteLength <= chunk.length + SLACK_BYTES) return chunk;
  return Buffer.from(chunk);
}

/** At most so many bytes of it, of which the last one ends the line. */
function beginningOf(chunk: string | Uint8Array, encoding: unknown, maxBytes: number): Uint8Array {
  const bytes =
    typeof chunk === 'string'
      ? Buffer.from(chunk.slice(0, maxBytes), encodingOf(encoding))
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let end = Math.min(bytes.length, maxBytes - 1);
  // Not within a character of UTF-8.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  const beginning = Buffer.alloc(end + 1, NEW_LINE);
  bytes.copy(beginning, 0, 0, end);
  return beginning;
}

/** The stream refuses values that are neither text nor bytes. */
function label(stream: NodeJS.WriteStream, maxWaitingBytes: number, lineOf: (text: string) => string): void {
  const write = stream.write.bind(stream) as Write;
  const writeLabelled: Write = (chunk, ...more) => {
    // The stream refuses it, so no line is made of it.
    if ((chunk?.length ?? 0) > maxWaitingBytes) return write(chunk, ...more);
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
