/**
 * A client that joins a room with many WebSockets and has messages published to it: a few messages are in
 * flight to all members at a time. Usage: room.ts PORT ROOM SOCKETS AT_ONCE MS GROUP
 *
 * When all have joined, one of them a client that checks the messages, it measures for this many
 * milliseconds. It then prints `told`, the number of messages that all members together received, the
 * milliseconds, and the microseconds that the server's process group computed.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { ROOM_MESSAGE_BYTES, roomMessage } from '../content.ts';
import { cpuMicroseconds } from '../measure.ts';

const [portText, room, ...numbers] = process.argv.slice(2);
const port = Number(portText);
const [sockets = 0, atOnce = 0, milliseconds = 0, group = 0] = numbers.map(Number);
const WARM_UP_MS = 500;
const OPENING_AT_ONCE = 50;
const READ_BYTES = 65_536;

let received = 0;
let awaited = 0;
let onAll: () => void = () => undefined;

function got(messages: number): void {
  received += messages;
  if (received >= awaited) onAll();
}

/** Counts a server's frames, which are not masked. */
class FrameCounter {
  #skip = 0;
  #head = Buffer.alloc(0);

  count(bytes: Buffer): number {
    let at = 0;
    let frames = 0;
    let from = bytes;
    if (this.#head.length > 0) {
      from = Buffer.concat([this.#head, bytes]);
      this.#head = Buffer.alloc(0);
    }
    while (at < from.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, from.length - at);
        this.#skip -= step;
        at += step;
        if (this.#skip === 0) frames++;
        continue;
      }
      if (from.length - at < 4) {
        this.#head = Buffer.from(from.subarray(at));
        break;
      }
      const short = from[at + 1] as number;
      const isLong = short === 126;
      this.#skip = isLong ? from.readUInt16BE(at + 2) : short;
      at += isLong ? 4 : 2;
    }
    return frames;
  }
}

async function join(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const counter = new FrameCounter();
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let isOpen = false;
  let head = '';
  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer,
      callback: (length) => {
        if (isOpen) {
          got(counter.count(buffer.subarray(0, length)));
          return true;
        }
        head += buffer.toString('latin1', 0, length);
        if (!head.includes('\r\n\r\n')) return true;
        if (!head.startsWith('HTTP/1.1 101')) reject(new Error(`no handshake: ${head}`));
        isOpen = true;
        resolve();
        return true;
      },
    },
  });
  socket.once('error', reject);
  socket.once('close', () => {
    console.error('a member was closed');
    process.exit(1);
  });
  const extension =
    room === 'deflated' ? 'sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n' : '';
  socket.write(
    `GET /room/${room} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
      `sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n${extension}\r\n`,
  );
  await promise;
}

const publisher = connect({ port, host: '127.0.0.1' });
publisher.resume();

/** Resolves when every member has received all of them. */
async function tell(messages: number): Promise<void> {
  awaited = received + messages * sockets;
  const { promise, resolve } = Promise.withResolvers<void>();
  onAll = resolve;
  publisher.write(`GET /publish/${room}/${messages} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await promise;
}

async function check(): Promise<void> {
  const member = new WebSocket(`ws://127.0.0.1:${port}/room/${room}`);
  await once(member, 'open');
  const expected = roomMessage(ROOM_MESSAGE_BYTES[room as keyof typeof ROOM_MESSAGE_BYTES]);
  const came = once(member, 'message');
  publisher.write(`GET /publish/${room}/1 HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  const [message] = (await came) as [Buffer];
  if (String(message) !== expected) throw new Error(`expected ${expected}, got ${message}`);
  member.terminate();
}

await check();
let left = sockets;
await Promise.all(
  Array.from({ length: OPENING_AT_ONCE }, async () => {
    while (left-- > 0) await join();
  }),
);
await measure(WARM_UP_MS);
const cpuBefore = cpuMicroseconds(group);
const { messages, ms } = await measure(milliseconds);
console.log(`told ${messages} ${ms} ${cpuMicroseconds(group) - cpuBefore}`);

async function measure(atLeastMs: number): Promise<{ messages: number; ms: number }> {
  const before = received;
  const start = performance.now();
  while (performance.now() - start < atLeastMs) await tell(atOnce);
  return { messages: received - before, ms: performance.now() - start };
}
