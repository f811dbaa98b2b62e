/**
 * What peers send, read into one buffer that all sockets share. A socket that a server has accepted makes a buffer for each read, 64 KiB
 * of memory that the collector has to find and give back: with it a small request's read costs Node twice as much processor time.
 *
 * Node has the means, `onread` of `net.Socket`, and only its constructor takes it. What the constructor then keeps are two members of
 * the socket and a call of its handle. The members have no public names, so a socket that is made for it shows which they are; where
 * they are not found, in a Node to come, sockets are read by their 'data' events.
 */
import { Socket } from 'node:net';

/** As large as Node's own. */
const BUFFER_BYTES = 65_536;
/** Below this the collector gives a read's buffer back more cheaply than we do. */
const FREE_FROM_BYTES = 16_384;

type OnRead = (this: unknown, bytes: number) => void;

/** An accepted socket, as its constructor could have set it up. */
interface UserBuffered {
  [member: symbol]: unknown;
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null;
}

interface Members {
  readonly buffer: symbol;
  readonly callback: symbol;
}

let shared: Buffer | null = null;
/** The shared buffer, as far as it was filled last. Requests are often as long as the one before. */
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
 * From now on `onChunk` is given what the peer sends, in place of whoever was given it before. The bytes are gone when it
 * returns. `pause`, `resume`, and 'end', 'error' and 'close' are the socket's, as ever.
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

/** Whether the socket reads into the shared buffer. It does from the first time on that it can. */
function readsIntoShared(socket: Socket): boolean {
  if (members === null) return false;
  const accepted = socket as unknown as UserBuffered;
  if (accepted[members.buffer] === shared && shared !== null) return true;
  const handle = accepted._handle;
  // What it has read already has to come out of it first: the rest can come the same way.
  if (typeof handle?.useUserBuffer !== 'function' || socket.readableLength > 0) return false;
  shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
  handle.useUserBuffer(shared);
  accepted[members.buffer] = shared;
  return true;
}

/**
 * Gives a read's buffer back now: who was given it has copied what it keeps, and left to the collector tens of megabytes
 * of them lie about during an upload. Only a buffer that is all of its memory is the socket's own and nobody else's.
 */
export function free(chunk: Uint8Array): void {
  if (chunk.length >= FREE_FROM_BYTES && chunk.length === chunk.buffer.byteLength)
    (chunk.buffer as ArrayBuffer).transfer(0);
}
