/**
 * What no call of the interface takes (docs/sgi.md, rules 2.8 and 2.9), for an exchange of any server: every wrong value is given to every
 * call, and what was not refused as it must be is told. The exchange has to be as good as new behind it.
 */
import type { Exchange, FieldsInit, GatewayError, Tunnel } from '../../workers/gateway.ts';

type Wrong = readonly [what: string, value: unknown];

function transferred(): Uint8Array {
  const bytes = new Uint8Array(4);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** Its view lies behind the end of what is left of the memory. */
function shrunk(): Uint8Array {
  const memory = new ArrayBuffer(16, { maxByteLength: 16 });
  const bytes = new Uint8Array(memory, 8, 4);
  memory.resize(4);
  return bytes;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** It answers nothing that it is asked without throwing. */
const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('asked for a member');
    },
    has: () => {
      throw new Error('asked whether it has a member');
    },
    getPrototypeOf: () => {
      throw new Error('asked for its prototype');
    },
  },
);

const anything: readonly Wrong[] = [
  ['a number', 5],
  ['NaN', Number.NaN],
  ['a boolean', true],
  ['a bigint', 5n],
  ['a symbol', Symbol('five')],
  ['a function', () => 'five'],
  ['a promise', Promise.resolve('five')],
  ['a Date', new Date(0)],
];

/** Given for a body or a piece. */
export const contents: readonly Wrong[] = [
  ...anything,
  ['null', null],
  ['an object', { text: 'five' }],
  ['an array', [1, 2, 3]],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['a SharedArrayBuffer', new SharedArrayBuffer(4)],
  ['a DataView', new DataView(new ArrayBuffer(4))],
  ['a Uint16Array', new Uint16Array(4)],
  ['a Float64Array', new Float64Array(4)],
  ['a Blob', new Blob(['five'])],
  ['a Response', new Response('five')],
  ['a stream', new Blob(['five']).stream()],
  ['what only inherits from Uint8Array', Object.create(Uint8Array.prototype)],
  ['a proxy of bytes', new Proxy(new Uint8Array(4), {})],
  ['a proxy that throws', hostile],
  ['a revoked proxy', revoked()],
  ['bytes whose memory was transferred', transferred()],
  ['bytes behind the end of their memory', shrunk()],
  ['an object whose toString throws', { toString: () => hostile, [Symbol.toPrimitive]: () => hostile }],
];

const fieldsInit: readonly Wrong[] = [
  ...anything,
  ['null', null],
  ['a string', 'content-type: text/plain'],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['bytes', new Uint8Array(4)],
  ['bytes whose memory was transferred', transferred()],
  ['bytes behind the end of their memory', shrunk()],
  ['a flat list', ['content-type', 'text/plain']],
  ['pairs of one', [['content-type']]],
  ['pairs of three', [['content-type', 'text/plain', 'utf-8']]],
  ['pairs that are strings', ['ab']],
  ['pairs that are null', [null]],
  ['a name that is a number', [[5, 'five']]],
  ['a name that is a symbol', [[Symbol('five'), 'five']]],
  ['a name that is null', [[null, 'five']]],
  ['a list of values in a pair', [['set-cookie', ['a=1', 'b=2']]]],
  ['what says that it is iterable', { [Symbol.iterator]: 5 }],
  ...[...anything.filter(([, value]) => value !== 5), ['null', null], ['undefined', undefined]].flatMap(
    ([what, value]): Wrong[] => [
      [`${what} as a value`, { 'x-a': value }],
      [`${what} in a list of values`, { 'x-a': ['1', value] }],
      [`${what} in a pair`, [['x-a', value]]],
      [`${what} as a marked value`, { 'x-a': { value, indexing: 'never' } }],
    ],
  ),
  ['infinity as a value', { 'x-a': Number.POSITIVE_INFINITY }],
];

const statuses: readonly Wrong[] = [
  ...anything.filter(([what]) => what !== 'a number'),
  ['null', null],
  ['undefined', undefined],
  ['a string', '200'],
  ['a negative one', -200],
  ['a fraction', 200.5],
  ['one in an object', new Number(200)],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a proxy that throws', hostile],
];

type Row<T = Exchange> = readonly [
  name: string,
  code: GatewayError['code'],
  call: (object: T, value: never) => unknown,
  values: readonly Wrong[],
];

const VALUE = 'SLUICE_VALUE_INVALID';

/** Calls in front of the head. */
const early: readonly Row[] = [
  ['respond(status)', 'SLUICE_STATUS_INVALID', (exchange, value) => exchange.respond(value), statuses],
  [
    'respond(status, {}, body)',
    'SLUICE_STATUS_INVALID',
    (exchange, value) => exchange.respond(value, {}, 'x'),
    statuses,
  ],
  ['inform(status)', 'SLUICE_STATUS_INVALID', (exchange, value) => exchange.inform(value), statuses],
  ['respond(200, fields)', VALUE, (exchange, value) => exchange.respond(200, value), fieldsInit],
  ['respond(200, fields, body)', VALUE, (exchange, value) => exchange.respond(200, value, 'x'), fieldsInit],
  ['respond(200, {}, body)', VALUE, (exchange, value) => exchange.respond(200, {}, value), contents],
  ['respond(204, {}, body)', VALUE, (exchange, value) => exchange.respond(204, {}, value), contents],
  ['inform(103, fields)', VALUE, (exchange, value) => exchange.inform(103, value), fieldsInit],
  [
    'push(request)',
    VALUE,
    (exchange, value) => exchange.push(value),
    [...anything.filter(([, value]) => typeof value !== 'object'), ['null', null], ['a path', '/']],
  ],
  [
    'push({ path })',
    'SLUICE_PUSH_INVALID',
    (exchange, path) => exchange.push({ path }),
    [...anything, ['null', null]],
  ],
  ['push({ fields })', VALUE, (exchange, fields) => exchange.push({ path: '/', fields }), fieldsInit],
];

/** Calls at any time. */
const always: readonly Row[] = [
  [
    'pad(toMultipleOf)',
    'SLUICE_PADDING_INVALID',
    (exchange, value) => exchange.pad(value),
    [
      ...anything,
      ['null', null],
      ['one', 1],
      ['a string', '16'],
      ['a fraction', 2.5],
      ['a proxy that throws', hostile],
    ].filter(([what]) => what !== 'a number') as Wrong[],
  ],
  ['require(feature)', VALUE, (exchange, value) => exchange.require(value), [...anything, ['null', null]]],
  [
    'body.bytes(limit)',
    VALUE,
    (exchange, value) => exchange.body.bytes(value),
    [...anything.slice(1), ['null', null], ['a negative one', -1]],
  ],
  [
    'body.text(limit)',
    VALUE,
    (exchange, value) => exchange.body.text(value),
    [...anything.slice(1), ['a string', '1mb']],
  ],
  [
    'request.fields.get(name)',
    VALUE,
    (exchange, value) => exchange.request.fields.get(value),
    [...anything, ['null', null]],
  ],
  [
    'reset(code)',
    'SLUICE_RESET_CODE_INVALID',
    (exchange, value) => exchange.reset(value),
    [...anything.slice(1), ['null', null], ['a string', '8'], ['a proxy that throws', hostile]],
  ],
];

/** Calls between head and end. */
const late: readonly Row[] = [
  ['write(piece)', VALUE, (exchange, value) => exchange.write(value), contents],
  ['end(trailers)', VALUE, (exchange, value) => exchange.end(value), fieldsInit],
];

/** Of the calls in front of the head, what was not refused as it must be. */
export async function refusedEarly(exchange: Exchange): Promise<string[]> {
  const complaints: string[] = [];
  for (const row of [...early, ...always]) complaints.push(...(await tried(exchange, row)));
  complaints.push(...(await keptAsItWas(exchange)));
  return complaints;
}

/** Of the calls between head and end. */
export async function refusedLate(exchange: Exchange): Promise<string[]> {
  const complaints: string[] = [];
  for (const row of [...late, ...always]) complaints.push(...(await tried(exchange, row)));
  try {
    void exchange.write(5 as never).catch(() => undefined);
    complaints.push('write(piece): expected a wrong piece to be thrown at once, it was not');
  } catch {
    // As it must be: nobody need wait for the promise.
  }
  return complaints;
}

/** Of the calls of a tunnel. */
export async function refusedByTunnel(tunnel: Tunnel): Promise<string[]> {
  const rows: readonly Row<Tunnel>[] = [
    ['tunnel.write(piece)', VALUE, (tunnel, value) => tunnel.write(value), contents],
    [
      'tunnel.atReturn(handler)',
      VALUE,
      (tunnel, value) => tunnel.atReturn(value),
      [
        ['null', null],
        ['a number', 5],
      ],
    ],
    [
      'tunnel.reset(code)',
      'SLUICE_RESET_CODE_INVALID',
      (tunnel, value) => tunnel.reset(value),
      anything.slice(1),
    ],
  ];
  return (await Promise.all(rows.map((row) => tried(tunnel, row)))).flat();
}

async function tried<T>(object: T, [name, code, call, values]: Row<T>): Promise<string[]> {
  const complaints: string[] = [];
  for (const [what, value] of values) {
    const found = await refusalOf(() => call(object, value as never));
    const { message = '' } = found;
    if (found.code !== code)
      complaints.push(`${name} with ${what}: expected ${code}, got ${found.code} (${message})`);
    // A trailer section that is refused is the validator's to tell, in front of the words.
    else if (!/expected .+, got .+/.test(message)) complaints.push(`${name} with ${what}: says ${message}`);
  }
  return complaints;
}

async function refusalOf(
  call: () => unknown,
): Promise<{ readonly code?: string; readonly message?: string }> {
  try {
    await call();
    return { message: 'it was taken' };
  } catch (error) {
    return error as GatewayError;
  }
}

/** What an application's own getters and iterators do within a call: it throws, or it calls. */
async function keptAsItWas(exchange: Exchange): Promise<string[]> {
  const own = new Error('of the application');
  const throwing: readonly [what: string, fields: object][] = [
    [
      'a getter',
      {
        get 'x-a'(): string {
          throw own;
        },
      },
    ],
    [
      'an iterator',
      {
        *[Symbol.iterator]() {
          yield ['x-a', '1'];
          throw own;
        },
      },
    ],
    [
      'a marked value',
      {
        'x-a': {
          get value(): string {
            throw own;
          },
          indexing: 'never',
        },
      },
    ],
  ];
  const complaints: string[] = [];
  for (const [what, fields] of throwing) {
    for (const call of [
      () => exchange.inform(103, fields as FieldsInit),
      () => exchange.respond(200, fields as FieldsInit),
      () => exchange.respond(200, fields as FieldsInit, 'x'),
      () => exchange.push({ path: '/', fields: fields as FieldsInit }),
    ]) {
      if ((await refusalOf(call)) !== own) complaints.push(`${what} that throws: expected its own error`);
    }
  }
  return complaints;
}
