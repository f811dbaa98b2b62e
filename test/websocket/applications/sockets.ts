/** WebSockets that do what their path says; the request names the test's channel in `x-signals`. */
import type { Exchange } from '../../../workers/gateway.ts';
import {
  acceptWebSocket,
  PreparedMessage,
  type ServerWebSocket,
  type WebSocketError,
  type WebSocketOptions,
} from '../../../workers/websocket/accept.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

interface Behaviour {
  readonly options?: WebSocketOptions;
  run(socket: ServerWebSocket, signals: Signals, query: URLSearchParams): void | Promise<void>;
}

const PIECE = Buffer.alloc(65_536, 'x');

/** Messages of several sizes, by number: shorter and longer than what is joined with its frame's head. */
export function numbered(n: number): string {
  return `${n} `.padEnd([20, 200, 2_000, 30_000][n % 4] ?? 0, `${n}.`);
}
export const NUMBERED = 60;

const behaviours: { readonly [path: string]: Behaviour } = {
  '/echo': { run: echo },
  '/echo-deflated': { options: { compression: { thresholdBytes: 16 } }, run: echo },
  '/echo-takeover': { options: { compression: { thresholdBytes: 0, contextTakeover: true } }, run: echo },
  '/protocols': { options: { protocols: ['chat.v2', 'chat.v1'] }, run: echo },
  '/limited': { options: { maxMessageBytes: 1_000, maxFragments: 4, compression: true }, run: echo },
  '/fields': { options: { fields: { 'x-one': 'one', 'x-many': ['1', '2'] } }, run: echo },
  '/elsewhere': { options: { origins: ['https://elsewhere.invalid'] }, run: echo },
  /** Closes with what the query says. */
  '/close': {
    run: async (socket, _signals, query) => {
      await socket.close(Number(query.get('code')), query.get('reason') ?? '');
    },
  },
  /** Sends text that says where it is, then returns. */
  '/return': { run: (socket) => socket.send('before the end') },
  '/throw': {
    run: async (socket) => {
      await socket.send('before the end');
      throw new Error('as the test wants');
    },
  },
  /** Dies with its thread. */
  '/exit': {
    run: async (socket) => {
      for await (const _ of socket) process.exit(1);
    },
  },
  '/large': { options: { maxMessageBytes: 64_000_000, maxUnsentBytes: 1_000 }, run: echo },
  '/pinged': { options: { pingIntervalMs: 5 }, run: echo },
  '/impatient': { options: { closeTimeoutMs: 50 }, run: echo },
  '/hold': { run: hold },
  '/hold-deflated': { options: { compression: true }, run: hold },
  /** Sends until it is stopped, and says each time that the peer's credit took a piece. */
  '/flood': {
    run: async (socket, signals) => {
      for (let sent = 1; ; sent++) {
        try {
          await socket.send(PIECE);
        } catch (error) {
          signals.tell(`stopped ${(error as WebSocketError).code}`);
          return;
        }
        signals.tell(`sent ${sent}`);
      }
    },
  },
  /** Sends until send throws. */
  '/stream': {
    run: async (socket, signals) => {
      await socket.send('more');
      signals.tell('sent 1');
      for (;;) {
        await socket.send('more');
        // While there is credit a send resolves at once, and the thread would do nothing else.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  /** Sends some messages by themselves and some prepared, and waits for none. */
  '/mixed': { run: mixed },
  '/mixed-deflated': { options: { compression: { thresholdBytes: 100 } }, run: mixed },
  '/mixed-takeover': { options: { compression: { thresholdBytes: 100, contextTakeover: true } }, run: mixed },
  /** Sends prepared messages until one is not taken, then closes. */
  '/pour-prepared': {
    run: async (socket, signals) => {
      const message = new PreparedMessage(PIECE);
      let taken = 0;
      while (socket.trySend(message)) {
        taken++;
        await new Promise((resolve) => setImmediate(resolve));
      }
      signals.tell(socket.unsentBytes + PIECE.length > 1_048_576 ? 'full' : 'refused early');
      await socket.close(1013);
      signals.tell(socket.trySend(message) ? 'taken after the end' : `refused after ${taken > 16}`);
    },
  },
  /** Sends without waiting. */
  '/pour': {
    run: async (socket, signals) => {
      for (;;) {
        let refused: WebSocketError | null = null;
        const sent = socket.send(PIECE).catch((error) => {
          refused = error;
        });
        await Promise.race([sent, new Promise((resolve) => setImmediate(resolve))]);
        if (refused === null) continue;
        signals.tell(`refused ${(refused as WebSocketError).code}`);
        await socket.close(1013);
        return;
      }
    },
  },
};

async function mixed(socket: ServerWebSocket): Promise<void> {
  const bytes = new PreparedMessage(new Uint8Array([1, 2, 3]));
  for (let n = 0; n < NUMBERED; n++) {
    if (n % 3 === 0) void socket.send(numbered(n));
    else socket.trySend(new PreparedMessage(numbered(n)));
    if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.trySend(bytes);
  for await (const _ of socket);
}

async function echo(socket: ServerWebSocket): Promise<void> {
  for await (const message of socket) await socket.send(message);
}

/** Does not read before the test says so; then counts. */
async function hold(socket: ServerWebSocket, signals: Signals): Promise<void> {
  const go = signals.until('go');
  signals.tell('holding');
  await go;
  let count = 0;
  for await (const message of socket) {
    count += message.length;
    signals.tell(`read ${count}`);
  }
}

export default async function sockets(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const path = url.pathname.slice(url.pathname.lastIndexOf('/'));
  if (path === '/refuse') return exchange.respond(403, { 'x-why': 'closed today' }, 'not here\n');
  if (path === '/ignore') return exchange.respond(200, {}, 'ignored');
  if (path === '/describe') return describe(exchange);
  if (path === '/quiet') return quiet(exchange);
  const behaviour = behaviours[path];
  if (behaviour === undefined) return exchange.respond(404, {}, 'no such socket');
  const channel = exchange.request.fields.get(SIGNALS_FIELD);
  const signals = new Signals(channel ?? 'nobody');
  try {
    const socket = await acceptWebSocket(exchange, behaviour.options);
    if (socket === null) return;
    void socket.closed.then(({ code, reason, wasClean }) =>
      signals.tell(`closed ${code} ${wasClean ? 'clean' : 'unclean'} ${reason}`.trim()),
    );
    signals.tell('accepted');
    await behaviour.run(socket, signals, url.searchParams);
  } finally {
    void exchange.closed.then(({ by, how, code }) => {
      signals.tell(`exchange ${how} by ${by} code ${code}`);
      setImmediate(() => signals.close());
    });
  }
}

/** Echoes and tells nobody: where each of a thousand sockets had a channel, they would hear each other. */
async function quiet(exchange: Exchange): Promise<void> {
  const socket = await acceptWebSocket(exchange);
  if (socket !== null) await echo(socket);
}

/** Refuses, with what it was asked. */
function describe(exchange: Exchange): void {
  const { protocol, scheme, authority, path, version, fields } = exchange.request;
  exchange.respond(
    418,
    { 'content-type': 'application/json' },
    JSON.stringify({ protocol, scheme, authority, path, version, fields: [...fields] }),
  );
}
