/** The clients of the soak test. Each loops until it is told to stop, one answer after another, and counts what became of each request. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, request } from '../server/http2-client.ts';
import { content } from './content.ts';
import type { Tally } from './tally.ts';

/** An answer that has not come by then never comes: every deadline of the server is shorter. */
const LOST_AFTER_MS = 60_000;

export interface World {
  readonly origin: string;
  readonly port: number;
  readonly secureOrigin: string;
  readonly ca: string;
  readonly tally: Tally;
  /** From 0 to 1, by the seed. */
  readonly random: () => number;
  readonly nextId: () => string;
  readonly files: ReadonlyMap<string, Buffer>;
  /** Aborts when clients are to end after what they are at. */
  readonly stopping: AbortSignal;
}

interface Seen {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly body: Buffer;
  readonly how: 'whole' | 'cut';
}

export type Client = (world: World) => Promise<void>;

/** Sends one request and counts what came of it. `isKilled`: its threads are ended now and then. */
async function ask(
  world: World,
  client: string,
  id: string,
  expected: Buffer,
  isKilled: boolean,
  send: () => Promise<Seen>,
): Promise<void> {
  const { tally } = world;
  tally.sent();
  const deadline = Promise.withResolvers<null>();
  const timer = setTimeout(() => deadline.resolve(null), LOST_AFTER_MS);
  try {
    const seen = await Promise.race([send(), deadline.promise]);
    if (seen === null) return tally.count(client, 'lost', `no answer to ${id} within ${LOST_AFTER_MS} ms`);
    const { status, headers, body, how } = seen;
    if (status === 200 && how === 'whole') {
      const isRight = body.equals(expected) && (headers['x-id'] === id || headers['x-id'] === undefined);
      return tally.count(
        client,
        isRight ? 'right' : 'wrong',
        `${id} got ${headers['x-id']}, ${body.length} of ${expected.length} bytes`,
      );
    }
    if (status === 503) return tally.count(client, 'refused', id);
    if (isKilled && (status === 502 || how === 'cut')) return tally.count(client, 'failed', id);
    tally.count(client, 'wrong', `${id} got ${status}, ${how}, ${body.subarray(0, 80)}`);
  } catch (error) {
    tally.count(client, 'lost', `${id}: ${error}`);
  } finally {
    clearTimeout(timer);
  }
}

function sizeOf({ random }: World, most: number): number {
  // Small ones mostly, now and then one that is larger than every window.
  return Math.floor(random() ** 4 * most);
}

/** Keep-alive and chunked uploads over HTTP/1.1, to Express and to a Fetch handler. */
export const http1: Client = async (world) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!world.stopping.aborted) {
    const id = world.nextId();
    const size = sizeOf(world, 400_000);
    const kind = world.random() < 0.5 ? 'express' : 'fetch';
    const isUpload = world.random() < 0.3;
    const url = `${world.origin}/${kind}/${isUpload ? 'echo' : 'small'}/${id}/${size}`;
    const body = content(id, size);
    await ask(world, `HTTP/1.1 ${kind}`, id, body, true, () =>
      requestHttp1(
        url,
        isUpload ? { method: 'POST', agent, body, headers: { 'transfer-encoding': 'chunked' } } : { agent },
      ),
    );
  }
  agent.destroy();
};

/** Several GETs in one packet, answered in order. */
export const pipelined: Client = async (world) => {
  while (!world.stopping.aborted) {
    const ids = Array.from({ length: 8 }, () => world.nextId());
    const socket = connect(world.port, '127.0.0.1');
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => undefined);
    const last = ids.length - 1;
    const text = ids.map((id, index) => {
      return `GET /fetch/small/${id}/100 HTTP/1.1\r\nHost: a\r\n${index === last ? 'Connection: close\r\n' : ''}\r\n`;
    });
    for (const _ of ids) world.tally.sent();
    socket.write(text.join(''));
    const closed = once(socket, 'close').then(() => true);
    const late = new Promise<false>((resolve) => setTimeout(resolve, LOST_AFTER_MS, false).unref());
    const isClosed = await Promise.race([closed, late]);
    socket.destroy();
    const answers = answersIn(Buffer.concat(pieces));
    const isCut = isClosed && answers.some(({ status }) => status === 502);
    for (const [index, id] of ids.entries()) {
      const answer = answers[index];
      const about = `${id}: ${answer?.status} ${answer?.body.subarray(0, 40)}`;
      if (answer === undefined) {
        // A thread's death may close the connection behind the 502; nothing else may.
        world.tally.count('HTTP/1.1 pipelined', isCut ? 'failed' : 'lost', about);
      } else if (answer.status === 200) {
        world.tally.count(
          'HTTP/1.1 pipelined',
          answer.body.equals(content(id, 100)) ? 'right' : 'wrong',
          about,
        );
      } else {
        const outcome = answer.status === 503 ? 'refused' : answer.status === 502 ? 'failed' : 'wrong';
        world.tally.count('HTTP/1.1 pipelined', outcome, about);
      }
    }
  }
};

function answersIn(bytes: Buffer): { readonly status: number; readonly body: Buffer }[] {
  const answers: { status: number; body: Buffer }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) break;
    const head = bytes.toString('latin1', at, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (bytes.length < end + 4 + length) break;
    answers.push({ status: Number(head.slice(9, 12)), body: bytes.subarray(end + 4, end + 4 + length) });
    at = end + 4 + length;
  }
  return answers;
}

/** Many streams of one connection at a time, in cleartext or over TLS. */
function http2(isSecure: boolean): Client {
  return async (world) => {
    const name = isSecure ? 'HTTP/2 over TLS' : 'HTTP/2';
    while (!world.stopping.aborted) {
      const session = isSecure
        ? connectHttp2Session(world.secureOrigin, {
            ca: world.ca,
            servername: 'localhost',
            maxSessionMemory: 64,
          })
        : connectHttp2Session(world.origin, { maxSessionMemory: 64 });
      session.on('error', () => undefined);
      for (let round = 0; round < 20 && !world.stopping.aborted; round++) {
        await Promise.all(Array.from({ length: 12 }, () => oneStream(world, name, session)));
      }
      // Node's client never closes a stream that is reset with NO_ERROR while it writes, and its session waits for that one.
      const late = setTimeout(() => session.destroy(), LOST_AFTER_MS);
      if (!session.destroyed) {
        const closed = new Promise<void>((resolve) => session.once('close', resolve));
        session.close();
        await closed;
      }
      clearTimeout(late);
    }
  };
}

function oneStream(world: World, name: string, session: ClientHttp2Session): Promise<void> {
  const id = world.nextId();
  const size = sizeOf(world, 600_000);
  const which = world.random();
  const what = which < 0.4 ? 'small' : which < 0.7 ? 'large' : which < 0.95 ? 'echo' : 'compute';
  const body = content(id, size);
  const head = { ':path': `/exchange/${what}/${id}/${size}` };
  return ask(world, `${name} ${what}`, id, body, true, () => {
    if (what !== 'echo') return request(session, head);
    const stream = session.request({ ...head, ':method': 'POST' });
    stream.end(body);
    // Node's client never closes a stream that is reset with NO_ERROR while it writes, as a refusal of an upload is.
    stream.on('end', () => stream.close());
    return answer(stream);
  });
}

/** Messages to a socket and back, in order. */
export const webSocket: Client = async (world) => {
  while (!world.stopping.aborted) {
    const id = world.nextId();
    world.tally.sent();
    const socket = new WebSocket(`ws://127.0.0.1:${world.port}/socket/echo/${id}`);
    let outcome: 'right' | 'failed' | 'wrong' | 'lost' = 'failed';
    let about = id;
    const done = new Promise<void>((resolve) => {
      let count = 0;
      const sent = Array.from({ length: 10 }, (_, index) =>
        content(`${id}-${index}`, sizeOf(world, 100_000)),
      );
      socket.on('open', () => {
        for (const message of sent) socket.send(message);
      });
      socket.on('message', (message: Buffer) => {
        if (!message.equals(sent[count++] as Buffer)) outcome = 'wrong';
        if (count < sent.length) return;
        if (outcome !== 'wrong') outcome = 'right';
        socket.close(1000);
      });
      // The handshake was answered 502 or 503, or the thread has gone.
      socket.on('error', (error) => {
        about = `${id}: ${error.message}`;
      });
      socket.on('close', () => resolve());
    });
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, LOST_AFTER_MS, 'late').unref());
    if ((await Promise.race([done, late])) === 'late') outcome = 'lost';
    socket.terminate();
    world.tally.count('WebSocket', outcome, about);
  }
};

/** Files, whose threads nobody kills. */
export const files: Client = async (world) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const names = [...world.files.keys()];
  while (!world.stopping.aborted) {
    const name = names[Math.floor(world.random() * names.length)] as string;
    const bytes = world.files.get(name) as Buffer;
    await ask(world, 'files', name, bytes, false, () =>
      requestHttp1(`${world.origin}/files/${name}`, { agent }),
    );
  }
  agent.destroy();
};

/** Requests that their client gives up: before the head, in the middle of the content, or without reading for a while. */
export const fickle: Client = async (world) => {
  while (!world.stopping.aborted) {
    const session = connectHttp2Session(world.origin);
    session.on('error', () => undefined);
    for (let round = 0; round < 10 && !world.stopping.aborted; round++) {
      const id = world.nextId();
      world.tally.sent();
      const stream = session.request({ ':path': `/exchange/large/${id}/2000000` });
      const closed = new Promise<void>((resolve) => stream.on('close', resolve));
      stream.on('error', () => undefined);
      const which = world.random();
      if (which < 0.4) stream.close(8);
      else {
        await Promise.race([once(stream, 'response').catch(() => undefined), closed]);
        // Nobody reads it: the stream's window fills, and the application waits.
        if (which < 0.7) await new Promise((resolve) => setTimeout(resolve, 200));
        stream.close(8);
      }
      stream.resume();
      await closed;
      world.tally.count('fickle', 'given up', id);
    }
    session.destroy();
  }
};

/** Ends threads, one every so often, each in another way. */
export const killer: Client = async (world) => {
  const ways = [
    'exchange/exit',
    'exchange/throw',
    'express/exit',
    'express/throw',
    'fetch/exit',
    'socket/exit',
  ];
  while (!world.stopping.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 400 * world.random()));
    const id = world.nextId();
    const way = ways[Math.floor(world.random() * ways.length)];
    await ask(world, 'killer', id, Buffer.alloc(0), true, () =>
      requestHttp1(`${world.origin}/${way}/${id}/0`),
    );
  }
};

export const clients: readonly Client[] = [
  http1,
  http1,
  pipelined,
  http2(false),
  http2(true),
  webSocket,
  webSocket,
  files,
  fickle,
  killer,
];
