/** Applications and servers that each break one rule of the gateway interface. */
import { ExchangeClosedError, HostError } from '../../workers/exchange/errors.ts';
import { contentLengthOf, flatten } from '../../workers/fields/sent.ts';
import type { Application, Exchange, FieldsInit, PushRequest } from '../../workers/gateway.ts';
import { WrappedExchange } from '../../workers/middleware/compose.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';
import { MemoryTunnel } from '../websocket/memory-tunnel.ts';

const ignore = () => undefined;
/** Calls like an application that ignores every result and error. */
export const swallow = (call: () => unknown): void => {
  try {
    Promise.resolve(call()).catch(ignore);
  } catch {
    // The error is ignored.
  }
};

/** Each case breaks its rule once, on an exchange that refuses what it must refuse. */
export const applications: readonly [rule: string, what: string, application: Application][] = [
  ['1.3', 'returns without a response', ignore],
  ['1.3', 'returns without an end', (exchange) => exchange.respond(200)],
  [
    '2.1',
    'informs behind the head',
    (exchange) => {
      exchange.respond(200, {}, '');
      swallow(() => exchange.inform(103));
    },
  ],
  [
    '2.2',
    'responds twice',
    (exchange) => {
      exchange.respond(200, {}, '');
      swallow(() => exchange.respond(200, {}, ''));
    },
  ],
  [
    '2.3',
    'ends before a head',
    (exchange) => {
      swallow(() => exchange.end());
      exchange.respond(200, {}, '');
    },
  ],
  [
    '2.3',
    'writes behind the end',
    async (exchange) => {
      exchange.respond(200, {}, '');
      await exchange.write('x').catch(ignore);
    },
  ],
  [
    '2.4',
    'pushes behind the end',
    async (exchange) => {
      exchange.respond(200, {}, '');
      await exchange.push({ path: '/a' }).catch(ignore);
    },
  ],
  ...(
    [
      [
        'gives an ArrayBuffer for a body',
        (exchange) => exchange.respond(200, {}, new ArrayBuffer(4) as never),
      ],
      ['gives text for fields', (exchange) => exchange.respond(200, 'a: b' as never, '')],
      ['gives no fields for interim ones', (exchange) => exchange.inform(103, 5 as never)],
      ['reads within a limit that is none', (exchange) => exchange.body.bytes(Number.NaN)],
    ] satisfies readonly [what: string, call: (exchange: Exchange) => unknown][]
  ).map(([what, call]): (typeof applications)[number] => [
    '2.8',
    what,
    async (exchange) => {
      swallow(() => call(exchange));
      exchange.respond(200, {}, '');
    },
  ]),
  ...(
    [
      ['writes a number', (exchange) => exchange.write(5 as never)],
      ['gives text for trailers', (exchange) => exchange.end('a: b' as never)],
    ] satisfies readonly [what: string, call: (exchange: Exchange) => unknown][]
  ).map(([what, call]): (typeof applications)[number] => [
    '2.8',
    what,
    async (exchange) => {
      exchange.respond(200);
      swallow(() => call(exchange));
      exchange.end();
    },
  ]),
  [
    '4.3',
    'reads the body twice',
    async (exchange) => {
      await exchange.body.text();
      await exchange.body.text().catch(ignore);
      exchange.respond(200, {}, '');
    },
  ],
  [
    '5.3',
    'ends short of its content-length',
    (exchange) => {
      exchange.respond(200, { 'content-length': 5 });
      swallow(() => exchange.end());
    },
  ],
  [
    '5.3',
    'writes beyond its content-length',
    async (exchange) => {
      exchange.respond(200, { 'content-length': 1 });
      await exchange.write('xyz').catch(ignore);
    },
  ],
  [
    '5.5',
    'changes bytes that it has given away',
    async (exchange) => {
      const piece = new Uint8Array([1, 2, 3]);
      exchange.respond(200);
      const written = exchange.write(piece);
      piece[0] = 9;
      await written.catch(ignore);
      exchange.end();
    },
  ],
  [
    '5.7',
    'puts a content-type into trailers',
    (exchange) => {
      exchange.respond(200);
      swallow(() => exchange.end({ 'content-type': 'text/plain' }));
    },
  ],
  [
    '6.3',
    'sends two locations',
    (exchange) => {
      swallow(() => exchange.respond(302, { location: ['/a', '/b'] }, ''));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '6.5',
    'sends a line break in a field',
    (exchange) => {
      swallow(() => exchange.respond(200, { 'x-a': 'a\r\nb: c' }, ''));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '9.2',
    'accepts a tunnel that nobody asked for',
    (exchange) => {
      swallow(() => exchange.accept());
      exchange.respond(200, {}, '');
    },
  ],
  [
    '5.2',
    'responds with a status that is none',
    (exchange) => {
      swallow(() => exchange.respond(700, {}, ''));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '5.3',
    'gives a body and another length',
    (exchange) => {
      swallow(() => exchange.respond(200, { 'content-length': 3 }, 'four'));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '5.9',
    'pads to a multiple of one',
    (exchange) => {
      swallow(() => exchange.pad(1));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '7.3',
    'resets with a code that is none',
    (exchange) => {
      swallow(() => exchange.reset(-1));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '8.2',
    'promises the response to a POST',
    async (exchange) => {
      await exchange.push({ method: 'POST' as never, path: '/' }).catch(ignore);
      exchange.respond(200, {}, '');
    },
  ],
];

/** The same for a request that asks for a tunnel. */
export const tunnelApplications: typeof applications = [
  [
    '4.3',
    'reads a tunnel twice',
    (exchange) => {
      const tunnel = exchange.accept();
      void tunnel.read[Symbol.asyncIterator]();
      swallow(() => tunnel.read[Symbol.asyncIterator]());
    },
  ],
  [
    '9.1',
    'writes a response behind a tunnel',
    async (exchange) => {
      exchange.accept();
      await exchange.write('x').catch(ignore);
    },
  ],
  ['2.8', 'writes a number into a tunnel', (exchange) => swallow(() => exchange.accept().write(5 as never))],
  ['9.2', 'answers a tunnel with 200', (exchange) => swallow(() => exchange.respond(200, {}, ''))],
  [
    '9.3',
    'writes behind its end of a tunnel',
    async (exchange) => {
      const tunnel = exchange.accept();
      tunnel.end();
      await tunnel.write(new Uint8Array(1)).catch(ignore);
    },
  ],
];

const closedError = new ExchangeClosedError({ by: 'peer', how: 'reset', code: 8 });

/** An exchange that refuses what a server must refuse, and has a tunnel. */
export class Strict extends WrappedExchange {
  readonly #request: Exchange['request'];

  constructor(protocol = '') {
    super(new MemoryExchange({ path: '/', body: 'body' }));
    this.#request = { ...this.inner.request, protocol };
  }

  override get request(): Exchange['request'] {
    return this.#request;
  }
  override respond(status: number, fields: FieldsInit = {}, body?: Uint8Array | string): void {
    const least = this.#request.protocol === '' ? 200 : 300;
    if (!(status >= least && status <= 599)) throw new HostError('SLUICE_STATUS_INVALID', `not ${status}`);
    const declared = contentLengthOf(flatten(fields));
    if (body !== undefined && declared !== -1 && declared !== body.length)
      throw new HostError('SLUICE_FIELD_INVALID', `not ${declared}`);
    super.respond(status, fields, body);
  }
  override inform(status: number, fields: FieldsInit = {}): void {
    flatten(fields);
    super.inform(status, fields);
  }
  override pad(toMultipleOf: number): void {
    throw new HostError('SLUICE_PADDING_INVALID', `not ${toMultipleOf}`);
  }
  override reset(code = 8): void {
    if (code < 0) throw new HostError('SLUICE_RESET_CODE_INVALID', `not ${code}`);
    super.reset(code);
  }
  override async push(request: PushRequest): Promise<null> {
    throw new HostError('SLUICE_PUSH_INVALID', `not ${request.method}`);
  }
  override accept(): MemoryTunnel {
    if (this.#request.protocol === '') throw new HostError('SLUICE_NOT_A_TUNNEL', 'nobody asked');
    return new MemoryTunnel(() => undefined);
  }
}

class Broken extends WrappedExchange {}
export const sound: Application = async (exchange) => {
  for await (const _piece of exchange.body) exchange.capabilities.push;
  await exchange.trailers;
  exchange.respond(200, {}, 'sound');
};
/** Replaces members of an exchange. */
const having = (
  members: object,
  exchange: Exchange = new MemoryExchange({ path: '/', body: 'body' }),
): Exchange => Object.defineProperties(new Broken(exchange), Object.getOwnPropertyDescriptors(members));
const changed = (request: object): Exchange => {
  const inner = new MemoryExchange({ path: '/', body: 'body' });
  return Object.defineProperty(new Broken(inner), 'request', { value: { ...inner.request, ...request } });
};
/** Each case has a server that breaks its rule once, and the application that observes it. */
export const servers: readonly [
  rule: string,
  what: string,
  make: () => Exchange,
  application?: Application,
][] = [
  ['3.1', 'has no path', () => changed({ path: 'nowhere' })],
  ['3.1', 'has another version', () => changed({ version: '3' })],
  [
    '3.2',
    'hands Host over',
    () => changed({ fields: new MemoryExchange({ path: '/', fields: { host: 'a' } }).request.fields }),
  ],
  ['3.4', 'has an urgency of 9', () => changed({ priority: { urgency: 9, incremental: false } })],
  ['4.2', 'gives empty pieces', () => new MemoryExchange({ path: '/', body: [new Uint8Array(0)] })],
  [
    '4.6',
    'lets content-type into trailers',
    () => new MemoryExchange({ path: '/', trailers: { 'content-type': 'a/b' } }),
  ],
  [
    '9.1',
    'offers a tunnel without being asked',
    () => {
      const inner = new MemoryExchange({ path: '/' });
      return Object.defineProperty(new Broken(inner), 'capabilities', {
        value: { ...inner.capabilities, tunnel: true },
      });
    },
  ],
  [
    '10.1',
    'changes its mind about capabilities',
    () => {
      const inner = new MemoryExchange({ path: '/', body: 'body' });
      let asked = 0;
      return Object.defineProperty(new Broken(inner), 'capabilities', {
        get: () => ({ ...inner.capabilities, push: ++asked > 2 }),
      });
    },
  ],
  [
    '10.2',
    'withholds what is there',
    () =>
      Object.defineProperty(new Broken(new MemoryExchange({ path: '/' })), 'withheld', {
        value: [{ feature: 'reset', why: 'it says so' }],
      }),
  ],
  ['3.1', 'says nothing of the path', () => changed({ path: undefined })],
  ['3.3', 'has a protocol in capitals', () => changed({ protocol: 'WebSocket' })],
  [
    '3.2',
    'hands a te over that is not trailers',
    () => changed({ fields: new MemoryExchange({ path: '/', fields: { te: 'gzip' } }).request.fields }),
  ],
  ['6.1', 'has a name in capitals', () => changed({ fields: [['X-Name', 'value']] })],
  [
    '2.7',
    'takes a response after a cut',
    () => having({ signal: AbortSignal.abort(closedError) }),
    (exchange) => exchange.respond(200, {}, ''),
  ],
  [
    '4.4',
    'gives more than the limit',
    () => new MemoryExchange({ path: '/', body: 'more than that' }),
    async (exchange) => {
      await exchange.body.bytes(4);
      exchange.respond(200, {}, '');
    },
  ],
  [
    '4.7',
    'lets a body that was cut off end as if it were whole',
    () => having({ signal: AbortSignal.abort(closedError) }),
    async (exchange) => {
      for await (const _ of exchange.body);
    },
  ],
  [
    '5.2',
    'takes a status that is none',
    () => new MemoryExchange({ path: '/' }),
    (exchange) => exchange.respond(700, {}, ''),
  ],
  [
    '5.3',
    'takes a content-length that is not the body’s',
    () => new MemoryExchange({ path: '/' }),
    (exchange) => exchange.respond(200, { 'content-length': 9 }, 'four'),
  ],
  [
    '5.5',
    'gives no promise for what is written',
    () => having({ write: () => undefined }),
    async (exchange) => {
      exchange.respond(200);
      await exchange.write('x');
      exchange.end();
    },
  ],
  [
    '5.6',
    'has less room than nothing',
    () => having({ writableBytes: -1 }),
    (exchange) => exchange.respond(200, {}, String(exchange.writableBytes)),
  ],
  [
    '5.6',
    'takes room back that nobody has used',
    () => {
      let room = 100;
      return having({
        get writableBytes() {
          room -= 50;
          return room;
        },
      });
    },
    (exchange) => {
      exchange.respond(200);
      exchange.writableBytes;
      exchange.writableBytes;
      exchange.end();
    },
  ],
  [
    '7.1',
    'rejects for the end',
    () => having({ closed: Promise.reject(new Error('over')) }),
    async (exchange) => {
      await new Promise((resolve) => setImmediate(resolve));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '7.1',
    'does not say who ended it',
    () => having({ closed: Promise.resolve({ by: 'nobody', how: 'complete', code: 0 }) }),
  ],
  [
    '7.2',
    'has no signal',
    () => having({ signal: undefined }, new MemoryExchange({ path: '/' })),
    () => undefined,
  ],
  [
    '7.2',
    'cuts off without a word',
    () => having({ closed: Promise.resolve({ by: 'peer', how: 'reset', code: 8 }) }),
  ],
  [
    '9.2',
    'gives a tunnel that nobody asked for',
    () => having({ accept: () => new MemoryTunnel(() => undefined) }),
    (exchange) => void exchange.accept(),
  ],
  [
    '9.2',
    'takes 200 for a tunnel',
    () => changed({ protocol: 'websocket' }),
    (exchange) => exchange.respond(200, {}, ''),
  ],
  [
    '10.3',
    'does not refuse what is required',
    () => having({ require: () => undefined }),
    (exchange) => {
      exchange.require('push');
      exchange.respond(200, {}, '');
    },
  ],
  ['15.1', 'has no notice of draining', () => having({ draining: undefined })],
];
