/**
 * What applications do to `req`, `res` and their socket after the end, in a callback, or against the peer's will. Each step runs on
 * node:http, on node:http2 and on Sluice, and what comes of it is compared.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline, Readable, Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { request as requestByUndici } from 'undici';
import { missingIn } from './missing.ts';

export type Step = (req: IncomingMessage, res: ServerResponse, told: (what: unknown) => void) => void;

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1/';
/** Of the thread: another one, after this has died, has another. */
const THREAD = randomUUID();

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | null)?.code ?? String(error);

function answered(res: ServerResponse, error: unknown): void {
  res.statusCode = error ? 507 : 201;
  res.end(error ? `not stored: ${codeOf(error)}` : 'stored');
}

/** The request is destroyed by a stream before it was read, and answered all the same. */
export const destroyedByStreams: { readonly [path: string]: Step } = {
  '/pipeline-file': (req, res) =>
    void pipeline(req, createWriteStream('/nowhere/upload'), (error) => answered(res, error)),
  '/pipeline-gunzip': (req, res) => {
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    pipeline(req, createGunzip(), sink, (error) => answered(res, error));
  },
  '/pipeline-upstream': (req, res) =>
    void pipeline(req, request(NOWHERE, { method: 'POST' }), (error) => answered(res, error)),
  '/break': async (req, res) => {
    for await (const _ of req) break;
    answered(res, null);
  },
  '/throw': async (req, res) => {
    try {
      for await (const _ of req) throw Object.assign(new Error('that will do'), { code: 'ENOUGH' });
    } catch (error) {
      answered(res, error);
    }
  },
  '/web-cancel': async (req, res) => {
    const reader = Readable.toWeb(req).getReader();
    await reader.read();
    await reader.cancel();
    answered(res, null);
  },
  '/take': async (req, res) => {
    await req.take(1).toArray();
    answered(res, null);
  },
  '/undici': async (req, res) => {
    const method = req.method as 'GET' | 'POST';
    await requestByUndici(NOWHERE, { method, body: req }).catch((error) => answered(res, error));
  },
};

/** The exchange is ended by hand, and written to all the same. */
export const destroyedByHand: { readonly [path: string]: Step } = {
  '/destroy-req': (req, res) => {
    req.destroy();
    res.end('late');
  },
  '/destroy-req-error': (req, res) => {
    req.destroy(new Error('enough'));
    res.write('late');
    res.end('later');
  },
  '/destroy-res': (_req, res) => {
    res.destroy();
    res.end('late');
  },
  '/destroy-res-error': (_req, res) => {
    res.destroy(new Error('enough'));
    res.writeHead(200);
    res.flushHeaders();
    res.write('late');
    res.end('later');
  },
  '/destroy-socket': (req, res) => {
    req.socket.destroy();
    res.end('late');
  },
  '/destroy-socket-error': (req, res) => {
    req.socket.destroy(new Error('enough'));
    res.end('late');
  },
  '/destroy-and-inform': (req, res) => {
    req.socket.destroy();
    res.writeContinue();
    res.writeProcessing();
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.addTrailers({ 'x-late': '1' });
    res.end('late');
  },
  '/destroy-begun': (req, res) => {
    res.write('begun', () => {
      req.destroy();
      res.write('late');
      res.end('later');
    });
  },
  '/socket-error': (req, res) => {
    req.socket.emit('error', new Error('enough'));
    res.end('late');
  },
};

/** What node:http sends, node:http2 partly, and a gateway does not; `begun` when the head is out before it is known. */
export const refused: { readonly [path: string]: Step } = {
  '/length-long': (_req, res) => void res.setHeader('content-length', 3).end('abcdef'),
  '/length-short': (_req, res) => void res.setHeader('content-length', 9).end('abcdef'),
  '/length-word': (_req, res) => void res.setHeader('content-length', 'six').end('abcdef'),
  '/begun-length-long': (_req, res) => {
    res.setHeader('content-length', 3);
    res.write('abc');
    res.end('def');
  },
  '/begun-length-short': (_req, res) => {
    res.setHeader('content-length', 9);
    res.write('abc');
    res.end('def');
  },
  '/length-204': (_req, res) => void res.writeHead(204, { 'content-length': 5 }).end(),
  '/status-600': (_req, res) => void res.writeHead(600).end('denied'),
  '/status-999': (_req, res) => void res.writeHead(999, 'Request denied').end('denied'),
  '/status-103': (_req, res) => void res.writeHead(103).end(),
  '/status-101': (_req, res) => void res.writeHead(101).end(),
  '/twice-content-type': (_req, res) =>
    void res.writeHead(200, ['Content-Type', 'text/plain', 'Content-Type', 'text/plain']).end('x'),
  '/twice-access-control-allow-origin': (_req, res) =>
    void res.setHeader('access-control-allow-origin', ['https://a.example', 'https://b.example']).end('x'),
  '/twice-strict-transport-security': (_req, res) =>
    void res.setHeader('strict-transport-security', ['max-age=1', 'max-age=2']).end('x'),
  '/twice-etag': (_req, res) => void res.appendHeader('etag', '"1"').appendHeader('ETag', '"2"').end('x'),
  '/twice-location': (_req, res) => void res.writeHead(302, ['location', '/a', 'location', '/b']).end('x'),
  '/twice-server': (_req, res) => void res.setHeader('server', ['a', 'b']).end('x'),
  '/twice-date': (_req, res) =>
    void res.setHeader('date', [new Date(0).toUTCString(), new Date(1e12).toUTCString()]).end('x'),
  '/begun-detached': (_req, res) => {
    res.write('abc');
    const bytes = new Uint8Array(10);
    res.write(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    res.end();
  },
  '/begun-trailer-set-cookie': (_req, res) => {
    res.write('abc');
    res.addTrailers({ 'set-cookie': 'a=1' });
    res.end();
  },
  '/begun-trailer-content-length': (_req, res) => {
    res.write('abc');
    res.addTrailers({ 'content-length': '3' });
    res.end();
  },
};

/** What a socket has that a stream is asked for. */
const STATE = [
  ...['allowHalfOpen', 'authorizationError', 'closed', 'connecting', 'destroyed', 'errored', 'pending'],
  ...['readable', 'readableEnded', 'readyState', 'remoteAddress', 'remoteFamily'],
  ...['writable', 'writableEnded', 'writableFinished', 'writableLength'],
] as const;

const stateOf = (socket: object): object =>
  Object.fromEntries(STATE.map((name) => [name, (socket as Record<string, unknown>)[name]]));

/** Members of the socket. */
export const sockets: { readonly [path: string]: Step } = {
  '/socket-state': (req, res, told) => {
    const { socket } = req;
    const before = stateOf(socket);
    const paused = socket.pause().isPaused();
    const resumed = socket.resume().isPaused();
    res.once('close', () => {
      socket.destroy();
      const destroyed = stateOf(socket);
      socket.once('close', () => told({ before, paused, resumed, destroyed, after: stateOf(socket) }));
    });
    res.end();
  },
  '/methods': (req, res, told) => {
    told(missingIn(req.socket));
    res.end();
  },
  '/destroy-soon-ended': (req, res) => {
    res.end('whole'.repeat(100_000));
    req.socket.destroySoon();
  },
  '/destroy-soon-open': (req, res) => {
    res.write('begun'.repeat(50_000));
    req.socket.destroySoon();
    res.write('late');
    res.end('later');
  },
  '/destroy-soon-idle': (req, res) => {
    req.socket.destroySoon();
    res.end('late');
  },
  '/end-ended': (req, res) => {
    res.end('whole');
    req.socket.end();
  },
  '/end-open': (req, res) => {
    res.write('begun');
    req.socket.end();
  },
  '/reset-and-destroy': (req, res) => {
    req.socket.resetAndDestroy();
    res.end('late');
  },
  '/harmless': (req, res) => {
    const { socket } = req;
    const sink = new Writable();
    const same = [
      socket.unpipe(sink) === socket,
      socket.setNoDelay() === socket,
      socket.setKeepAlive(true) === socket,
      socket.setDefaultEncoding('utf8') === socket,
      socket.ref() === socket,
      socket.unref() === socket,
      socket.setTimeout(0) === socket,
      socket.read() === null,
    ];
    res.end(JSON.stringify(same));
  },
};

/** What would read the connection or write to it, which node:http lets pass. */
export const trespasses: { readonly [path: string]: Step } = {
  '/trespass-write': (req) => void req.socket.write('HTTP/1.1 200 OK\r\n\r\n'),
  '/trespass-end': (req) => void req.socket.end('HTTP/1.1 200 OK\r\n\r\n'),
  '/trespass-unshift': (req) => void req.socket.unshift('GET / HTTP/1.1\r\n\r\n'),
  '/trespass-pipe': (req) => void req.socket.pipe(new Writable()),
  '/trespass-map': (req) => void req.socket.map((piece) => piece),
};

/** What is done when it is over. */
export const late: { readonly [path: string]: Step } = {
  '/late': (_req, res, told) => {
    res.end('ok');
    const seen: unknown[] = [res.destroyed];
    res.on('error', (error) => seen.push(`error ${codeOf(error)}`));
    res.on('finish', () => seen.push(`finish ${res.destroyed}`));
    res.on('close', () => {
      seen.push(`close ${res.destroyed} ${res.closed} ${res.writableFinished} ${res.errored}`);
      setImmediate(() => {
        seen.push(res.write('late', (error) => seen.push(`written ${codeOf(error)}`)));
        res.end('late', () => seen.push('never called'));
        res.end((error?: Error) => seen.push(`ended ${codeOf(error)}`));
        res.destroy();
        setImmediate(() => told(seen));
      });
    });
  },
  '/late-at-once': (_req, res, told) => {
    const seen: unknown[] = [];
    res.on('error', (error) => seen.push(`error ${codeOf(error)}`));
    res.on('finish', () => seen.push('finish'));
    res.on('close', () => {
      seen.push('close');
      setImmediate(() => told(seen));
    });
    res.end('ok', () => seen.push('ended'));
    seen.push(res.write('late', (error) => seen.push(`written ${codeOf(error)}`)));
    res.end('late', () => seen.push('late end'));
  },
  '/late-after-write': (_req, res, told) => {
    res.write('o');
    res.write('k');
    res.end();
    res.on('close', () =>
      setImmediate(() => {
        const before = [res.destroyed, res.write('late')];
        res.end('later');
        setImmediate(() => told(before));
      }),
    );
  },
  '/late-timeout': (_req, res, told) => {
    const seen: string[] = [];
    res.setTimeout(1, () => seen.push('timeout'));
    res.end();
    // Timers end in their order, so this one does after the other, if that is still there.
    res.on('close', () => setTimeout(() => told(seen), 2));
  },
  /** Nobody listens, and the state is what it is where somebody does. */
  '/late-unheard': (_req, res, told) => {
    res.end('ok');
    let turns = 0;
    const look = (): void => {
      if (!res.closed && ++turns < 100_000) setImmediate(look);
      else told([res.destroyed, res.closed, res.finished, res.writableFinished, res.socket === null]);
    };
    setImmediate(look);
  },
  '/late-heard': (_req, res, told) => {
    res.end('ok');
    const seen: unknown[] = [res.destroyed, res.writableFinished];
    // Heard in the turn of the end, by whoever has replaced this.
    const { emit } = res;
    const hearing = (event: string, ...args: unknown[]): boolean => {
      seen.push(event);
      if (event === 'close') setImmediate(() => told(seen));
      return (emit as (...all: unknown[]) => boolean).call(res, event, ...args);
    };
    res.emit = hearing as typeof emit;
  },
  '/late-empty': (_req, res, told) => {
    res.writeHead(204).end();
    res.on('close', () =>
      setImmediate(() => {
        const before = [res.destroyed, res.write('late')];
        res.end('later');
        setImmediate(() => told(before));
      }),
    );
  },
  '/cut-callbacks': (_req, res, told) => {
    const seen: unknown[] = [];
    res.on('error', () => seen.push('error'));
    res.on('finish', () => seen.push('finish'));
    res.on('close', () => {
      seen.push(`close ${res.destroyed} ${res.writableFinished}`);
      setImmediate(() => told(seen));
    });
    res.write('begun', () => {
      res.destroy();
      seen.push(res.destroyed, res.socket?.destroyed);
    });
  },
};

/** Calls that Node refuses at once, by the code of what they throw. */
const refusals: readonly ((req: IncomingMessage, res: ServerResponse) => unknown)[] = [
  (_req, res) => res.writeHead(99),
  (_req, res) => res.writeHead(1000),
  (_req, res) => res.writeHead(200, ['a']),
  (_req, res) => res.writeHead(200, { 'a b': 'x' }),
  (_req, res) => res.writeHead(200, { x: 'a\nb' }),
  (_req, res) => res.writeHead(200, ['x', undefined as never]),
  (_req, res) => res.writeHead(200, 'bad\nreason'),
  (_req, res) => res.setHeader('a b', 'x'),
  (_req, res) => res.setHeader('x', 'a\nb'),
  (_req, res) => res.setHeader('x', undefined as never),
  (_req, res) => res.setHeaders([] as never),
  (_req, res) => res.appendHeader('x', '\u2713'),
  (_req, res) => res.addTrailers({ x: 'a\nb' }),
  (_req, res) => res.writeEarlyHints({ link: 'no link' }),
  (_req, res) => res.write(null as never),
  (_req, res) => res.write(5 as never),
  (_req, res) => res.end({} as never),
  (req) => req.socket.setEncoding('utf8'),
];
const refusalsBehindHead: typeof refusals = [
  (_req, res) => res.writeHead(200),
  (_req, res) => res.setHeader('x', 'y'),
  (_req, res) => res.appendHeader('x', 'y'),
  (_req, res) => res.removeHeader('x'),
  (_req, res) => res.setHeaders(new Headers()),
];

export const thrown: { readonly [path: string]: Step } = {
  '/thrown': (req, res, told) => {
    res.statusMessage = '';
    const codes = (calls: typeof refusals): string[] =>
      calls.map((call) => {
        try {
          call(req, res);
          return 'nothing';
        } catch (error) {
          return codeOf(error);
        } finally {
          if (!res.headersSent) res.statusMessage = '';
        }
      });
    const before = codes(refusals);
    res.statusCode = 200;
    res.flushHeaders();
    told([before, codes(refusalsBehindHead)]);
    res.end('thrown');
  },
};

/** A limit on uploads and an echo as they are written by hand, and the ways that Node's streams have. */
export const uploads: { readonly [path: string]: Step } = {
  '/limit': (req, res) => {
    let length = 0;
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > 3 && !res.writableEnded) {
        res.statusCode = 413;
        res.end('too large');
      }
    });
    req.on('end', () => {
      if (!res.writableEnded) res.end('thanks');
    });
  },
  '/echo-by-hand': (req, res) => {
    req.on('data', (chunk) => res.write(chunk));
    req.on('end', () => res.end());
  },
  '/echo-pipe': (req, res) => void req.pipe(res),
  '/echo-pipeline': (req, res) => void pipeline(req, res, () => undefined),
  '/hints': (req, res) => {
    req.on('data', () => {
      if (!res.headersSent) res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.flushHeaders();
      res.addTrailers({ 'x-late': '1' });
      res.end('hinted');
    });
  },
};

/** Uploads that are refused while they come, as @hono/node-server does with what it would rather not read on. */
export const refusedUploads: { readonly [path: string]: Step } = Object.fromEntries(
  (['destroySoon', 'end', 'destroy', 'resetAndDestroy'] as const).map((method) => [
    `/refuse-${method}`,
    (req, res) => {
      res.once('close', () => req.socket[method]());
      req.once('data', () => res.writeHead(403).end('not allowed'));
    },
  ]),
);

const steps: { readonly [path: string]: Step } = {
  ...destroyedByStreams,
  ...destroyedByHand,
  ...refused,
  ...sockets,
  ...trespasses,
  ...late,
  ...thrown,
  ...uploads,
  ...refusedUploads,
};

const outcomes = new Map<string, PromiseWithResolvers<unknown>>();

function outcomeOf(id: string): PromiseWithResolvers<unknown> {
  const known = outcomes.get(id) ?? Promise.withResolvers<unknown>();
  outcomes.set(id, known);
  return known;
}

/** `/…/in/STEP` in the handler's own stack, `/…/behind/STEP` in a callback. */
export function careless(req: IncomingMessage, res: ServerResponse): void {
  const [, where, name = ''] = /\/(in|behind|ask)(\/[^/?]+)$/.exec(req.url ?? '') ?? [];
  const id = String(req.headers['x-id'] ?? '');
  if (where === 'ask') {
    // Which thread it is, at once or when the test has seen what it wants; or what a step has told.
    const answer = name === '/outcome' ? outcomeOf(id).promise : Promise.resolve(THREAD);
    void answer.then((what) => res.end(JSON.stringify(what)));
    return;
  }
  const step = steps[name];
  if (step === undefined) {
    res.writeHead(404).end('no such step');
    return;
  }
  const run = () => step(req, res, (what) => outcomeOf(id).resolve(what));
  if (where === 'in') run();
  else setImmediate(run);
}

export default careless;
