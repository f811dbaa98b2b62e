/**
 * Limits the output that an application has printed and the main thread has not received. The output waits in this thread's heap,
 * and an application that prints in a loop would fill that heap.
 */

import type { PrintStream } from '../../wire/control.ts';
import type { LabelledPrints } from './labelled-prints.ts';

/**
 * @param onDropped called with the number of dropped writes when all waiting output has been received
 * @param labels turns writes into log lines; null: output is passed on unchanged
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

/** If the memory that bytes are a part of exceeds them by no more than this, a copy is not worth it. */
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
    const bytes = bytesOf(chunk, more[0], room);
    if (bytes <= room) return write(compact(chunk, more[0], bytes), ...more);
    dropped++;
    if (dropped === 1) {
      write('', () => {
        const writes = dropped;
        dropped = 0;
        onDropped(writes);
      });
    }
    // A dump that is too long by itself is cut, because its beginning is most useful. The rest of the room is for the note that says so.
    if (cuts && waiting === 0)
      return write(beginningOf(chunk, more[0], maxWaitingBytes >> 1), ...more.slice(-1).filter(isFunction));
    const done = more.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return false;
  };
  stream.write = writeBounded as typeof stream.write;
}

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** Values that are neither text nor bytes are refused by the stream. A text with too many characters is not counted. */
function bytesOf(chunk: string | Uint8Array, encoding: unknown, room: number): number {
  if (typeof chunk !== 'string') return chunk?.length ?? 0;
  return chunk.length > room ? chunk.length : Buffer.byteLength(chunk, encodingOf(encoding));
}

function encodingOf(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
}

/**
 * Returns what to write for a chunk of this many bytes. The stream counts the UTF-16 units of waiting text, so text that needs more bytes
 * than units is converted to bytes. Bytes that are a small part of a larger memory are copied, because a message would carry all of that
 * memory.
 */
function compact(chunk: string | Uint8Array, encoding: unknown, bytes: number): string | Uint8Array {
  if (typeof chunk === 'string') {
    if (bytes === chunk.length) return chunk;
    const copy = Buffer.allocUnsafeSlow(bytes);
    return copy.subarray(0, copy.write(chunk, encodingOf(encoding)));
  }
  if (!(chunk instanceof Uint8Array) || chunk.buffer.byteLength <= chunk.length + SLACK_BYTES) return chunk;
  return Buffer.from(chunk);
}

/** The beginning of a chunk and a line end, together at most `maxBytes`. */
function beginningOf(chunk: string | Uint8Array, encoding: unknown, maxBytes: number): Uint8Array {
  const bytes =
    typeof chunk === 'string'
      ? Buffer.from(chunk.slice(0, maxBytes), encodingOf(encoding))
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  let end = Math.min(bytes.length, maxBytes - 1);
  // The cut must not split a character of UTF-8.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  const beginning = Buffer.alloc(end + 1, NEW_LINE);
  bytes.copy(beginning, 0, 0, end);
  return beginning;
}

/** The stream refuses values that are neither text nor bytes. */
function label(stream: NodeJS.WriteStream, maxWaitingBytes: number, lineOf: (text: string) => string): void {
  const write = stream.write.bind(stream) as Write;
  const writeLabelled: Write = (chunk, ...more) => {
    // The stream refuses the value, so no line is made from it.
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
