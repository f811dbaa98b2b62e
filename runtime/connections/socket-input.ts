/**
 * Reads what peers send into one buffer that all sockets share. An accepted socket normally makes a buffer
 * for each read: 64 KiB that the collector must find and give back. With it, reading a small request costs
 * Node twice as much processor time.
 *
 * Node has a way to avoid that, `onread` of `net.Socket`, but only the constructor takes it. The constructor
 * then sets two members of the socket and calls a method of its handle. The members have no public names, so
 * a socket that is made for this purpose shows which they are. If a future Node lacks them, sockets are read
 * by their 'data' events.
 */
import { Socket } from 'node:net';

/** As large as Node's own buffer. */
const BUFFER_BYTES = 65_536;
/** Below this size the collector gives a read's buffer back more cheaply than `free` does. */
const FREE_FROM_BYTES = 16_384;

type OnRead = (this: unknown, bytes: number) => void;

/** An accepted socket, with the members that its constructor could have set. */
interface UserBuffered {
  [member: symbol]: unknown;
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
}

interface Members {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let shared: Buffer | null = null;
/** The part of the shared buffer that was last filled. Requests are often as long as the one before. */
let filled: Buffer = Buffer.alloc(0);
/** Null: this Node has none. */
const members = findMembers();

function findMembers(): Members | null {
  const probe = Buffer.alloc(1);
  const callback = (): boolean => true;
  const socket = new Socket({ onread: { buffer: probe, callback } });
  const found = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(socket).find(
      (symbol) => (socket as unknown as UserBuffered)[symbol] === value,
    );
  const names = { buffer: found(probe), callback: found(callback) };
  socket.destroy();
  return names.buffer === undefined || names.callback === undefined ? null : (names as Members);
}

/**
 * From now on `onChunk` gets what the peer sends, in place of any earlier receiver. The bytes are only valid
 * during the call. `pause`, `resume`, and 'end', 'error' and 'close' remain the socket's.
 */
export function readTo(socket: Socket, onChunk: (chunk: Buffer) => void): void {
  socket.removeAllListeners('data');
  if (readsIntoShared(socket)) {
    (socket as unknown as UserBuffered)[(members as Members).callback] = onReadOf(onChunk);
  } else {
    socket.on('data', (chunk: Buffer) => {
      onChunk(chunk);
      free(chunk);
    });
  }
  socket.resume();
}

function onReadOf(onChunk: (chunk: Buffer) => void): OnRead {
  return (bytes) => {
    if (filled.length !== bytes) filled = (shared as Buffer).subarray(0, bytes);
    onChunk(filled);
  };
}

/** Whether the socket reads into the shared buffer. It does from the first time that it can. */
function readsIntoShared(socket: Socket): boolean {
  if (members === null) return false;
  const accepted = socket as unknown as UserBuffered;
  if (accepted[members.buffer] === shared && shared !== null) return true;
  const handle = accepted._handle;
  // What the socket has already read must leave it first; the rest can follow the same way.
  if (typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
  handle.useUserBuffer(shared);
  accepted[members.buffer] = shared;
  return true;
}

/**
 * Gives a read's buffer back now. Its receiver has copied what it keeps, and if left to the collector, tens
 * of megabytes of such buffers would accumulate during an upload. Only a buffer that is all of its memory
 * belongs to the socket alone.
 */
export function free(chunk: Uint8Array): void {
  if (chunk.length >= FREE_FROM_BYTES && chunk.length === chunk.buffer.byteLength)
    (chunk.buffer as ArrayBuffer).transfer(0);
}
