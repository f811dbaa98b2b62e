/**
 * Whole HTTP/1 connections to a live server: two connections that send the same bytes, split differently, get
 * the same responses.
 */
import type { Socket } from 'node:net';
import { http1Conversation } from './http1-input.ts';
import { LiveServer, sendPieces } from './live.ts';
import { Cut, cut } from './mutation.ts';
import type { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

/**
 * A head or a chunk cannot contain a NUL, so this ends everything but content of announced length. In that
 * case the server takes it for content, waits for more, and gets our FIN.
 */
const END_OF_ALL = Buffer.alloc(4096);
/** The number of round trips of another client without news after which none is expected. */
const QUIET_TURNS = 10;
/**
 * The body of a refusal has the reason, and for a CONNECT that may be that others have not been answered yet.
 */
const OUR_WHY = /content-length: \d+\r\n\r\n(\d{3} [A-Z][A-Za-z ]+)(?:: .*)?\n/g;
/**
 * A request without a route (`*`) is answered at its head; it gets 400 if its content was already seen to be
 * broken by then.
 */
const NOT_TAKEN = /HTTP\/1\.1 (?:404 Not Found|400 Bad Request)\r\n(?:[a-z-]+: .*\r\n)+\r\n4.*\n$/i;
const MOST_SINGLE_BYTES = 500;

export async function openHttp1(): Promise<Target> {
  const server = await LiveServer.start();
  return { run: (random) => runCase(random, server), close: () => server.close() };
}

async function runCase(random: Random, server: LiveServer): Promise<void> {
  const tag = random.next();
  let requests = 0;
  const input = Buffer.concat(http1Conversation(random, () => `/${tag}-${++requests}`));
  const how = input.length <= MOST_SINGLE_BYTES && random.chance(30) ? Cut.Bytes : Cut.Random;
  const transport = random.chance(25) ? 'tls' : 'tcp';
  const connect = (): Promise<Socket> => server.connect(transport, 'http/1.1');
  const whole = await converse(random, server, await connect(), input, Cut.Whole);
  if (random.chance(5)) {
    const socket = await connect();
    await sendPieces(socket, cut(random, input, how));
    socket.destroy();
  } else {
    const pieces = await converse(random, server, await connect(), input, how);
    mustAgree(`the same bytes in one piece and ${how}`, whole, pieces, input);
  }
  // An answer that names a request of another connection.
  for (const [, named] of whole.matchAll(/^[A-Z]+ \/(\d+)-\d+ [0-9a-f]{40} /gm)) {
    if (named !== String(tag) && !input.includes(named as string))
      throw new Finding(`answered for ${named}`, input);
  }
  await server.requireRest(input);
}

/** The responses, without what depends on the clock or on whether the end was in sight. */
async function converse(
  random: Random,
  server: LiveServer,
  socket: Socket,
  input: Buffer,
  how: Cut,
): Promise<string> {
  const heard = listen(socket);
  await sendPieces(socket, [...cut(random, input, how), END_OF_ALL]);
  await untilQuiet(server, heard);
  if (!heard.isClosed) socket.end();
  const isClosed = (): boolean => heard.isClosed;
  await server.until(`the connection's end (sent ${how})`, input, isClosed, () => heard.text);
  return heard.text
    .replace(NOT_TAKEN, 'not taken\n')
    .replaceAll(/(?:date|connection|keep-alive): [^\r]*\r\n/gi, '')
    .replaceAll('HTTP/1.1 100 Continue\r\n\r\n', '')
    .replaceAll(OUR_WHY, '$1');
}

interface Heard {
  text: string;
  isClosed: boolean;
}

function listen(socket: Socket): Heard {
  const heard: Heard = { text: '', isClosed: false };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    heard.text += text;
  });
  socket.on('close', () => {
    heard.isClosed = true;
  });
  return heard;
}

/** The connection has closed, or nothing more arrives. */
async function untilQuiet(server: LiveServer, heard: Heard): Promise<void> {
  for (let length = -1; length !== heard.text.length; ) {
    length = heard.text.length;
    await server.within(QUIET_TURNS, () => heard.isClosed || heard.text.length !== length);
  }
}
