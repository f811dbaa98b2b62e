/** Payloads against `structuredClone`, against msgpackr as a reader of their bytes, and against bytes that nobody has encoded. */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { MAX_ERRORS, MAX_NAME_CHARS } from '../../wire/error-report.ts';
import { PayloadDecoder } from '../../wire/payload/decoder.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';
import { PayloadError, type PayloadLimits } from '../../wire/payload/forms.ts';

const limits: PayloadLimits = { maxBytes: 262_144, maxDepth: 64, maxReferences: 1_000, maxErrorChars: 8_192 };
const encoder = new PayloadEncoder();
const decoder = new PayloadDecoder();

function bytesOf(value: unknown, within: PayloadLimits = limits): Buffer {
  encoder.encode(value, 'value', within);
  return Buffer.from(encoder.bytes.subarray(0, encoder.length));
}

function carried(value: unknown, within: PayloadLimits = limits): unknown {
  const bytes = bytesOf(value, within);
  return decoder.decode(bytes, 0, bytes.length, within);
}

function thrown(value: unknown, within: PayloadLimits = limits): Error {
  encoder.encodeThrown(value, within);
  const bytes = Buffer.from(encoder.bytes.subarray(0, encoder.length));
  return decoder.decode(bytes, 0, bytes.length, within) as Error;
}

/** Of each object, which object it is: two values alike have the same list, and shared where the other shares. */
function identities(value: unknown, seen = new Map<unknown, number>(), list: number[] = []): number[] {
  if (typeof value !== 'object' || value === null) return list;
  const known = seen.get(value);
  list.push(known ?? seen.size);
  if (known !== undefined) return list;
  seen.set(value, seen.size);
  if (value instanceof Map) for (const [key, each] of value) identities([key, each], seen, list);
  else if (value instanceof Set) for (const each of value) identities(each, seen, list);
  else if (!ArrayBuffer.isView(value)) for (const each of Object.values(value)) identities(each, seen, list);
  return list;
}

const text = fc.string({ unit: 'binary', maxLength: 40 });
/** Node 22 takes two invalid dates for different values. There they only have the test of their own. */
const comparesInvalidDates = isDeepStrictEqual(new Date(Number.NaN), new Date(Number.NaN));
const anything = fc.anything({
  key: text.filter((key) => key !== '__proto__'),
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.constantFrom(
      -0,
      Number.NaN,
      undefined,
      null,
      2 ** 31,
      2 ** 32,
      -(2 ** 31) - 1,
      255,
      256,
      -32,
      -33,
      -129,
    ),
    text,
    fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', 'é', '\u{1f600}'), maxLength: 300 }),
    fc.bigInt(),
    fc.constantFrom(2n ** 63n, -(2n ** 63n), 2n ** 64n, -(2n ** 64n), 0n, 2n ** 200n),
    fc.date({ noInvalidDate: !comparesInvalidDates }),
  ],
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  withNullPrototype: true,
});

test('what is carried is what a structured clone is', (t) => {
  fc.assert(
    fc.property(anything, (value) => {
      assert.deepStrictEqual(carried(value), structuredClone(value));
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('an invalid date is carried as one', (t) => {
  const [alone, [within]] = carried([new Date(Number.NaN), new Set([new Date(Number.NaN)])]) as [
    Date,
    Set<Date>,
  ];
  for (const date of [alone, within]) {
    t.true(date instanceof Date);
    t.is(date?.getTime(), Number.NaN);
  }
});

/** Objects that refer to each other in any way. */
const graph = fc
  .tuple(
    fc.array(fc.constantFrom('object', 'array', 'map', 'set', 'date', 'view'), {
      minLength: 1,
      maxLength: 12,
    }),
    fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 40 }),
  )
  .map(([kinds, edges]) => {
    const nodes = kinds.map((kind) => {
      if (kind === 'array') return [] as unknown[];
      if (kind === 'map') return new Map<unknown, unknown>();
      if (kind === 'set') return new Set<unknown>();
      if (kind === 'date') return new Date(5);
      return kind === 'view' ? new Float32Array([1, 2]) : ({} as Record<string, unknown>);
    });
    for (const [index, [from, to]] of edges.entries()) {
      const source = nodes[from % nodes.length];
      const target = nodes[to % nodes.length];
      if (Array.isArray(source)) source.push(target);
      else if (source instanceof Map) source.set(target, target);
      else if (source instanceof Set) source.add(target);
      else if (!(source instanceof Date) && !(source instanceof Float32Array)) {
        (source as Record<string, unknown>)[`p${index}`] = target;
      }
    }
    return nodes;
  });

test('objects that are shared, and cycles, are so on the other side', (t) => {
  fc.assert(
    fc.property(graph, (nodes) => {
      const received = carried(nodes);
      assert.deepStrictEqual(received, structuredClone(nodes));
      assert.deepStrictEqual(identities(received), identities(nodes));
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

test('a payload is plain MessagePack for any reader of it', (t) => {
  const reader = new Unpackr({ useRecords: false, int64AsType: 'bigint', mapsAsObjects: true });
  const plain = fc.anything({
    key: fc.string().filter((key) => key !== '__proto__'),
    values: [fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.uint8Array()],
  });
  fc.assert(
    fc.property(plain, (value) => {
      const read: unknown = reader.unpack(bytesOf(value));
      const alike = JSON.stringify(read, asNumbers);
      assert.equal(alike, JSON.stringify(value, asNumbers));
    }),
  );
  t.pass();
});

function asNumbers(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value
    ? value.data
    : value;
}

const refused: readonly [title: string, value: () => unknown, path: string, got: RegExp][] = [
  ['a function', () => ({ a: [1, () => 1] }), 'value.a[1]', /a function/],
  ['a symbol', () => ({ a: Symbol('s') }), 'value.a', /a symbol/],
  ['an instance of a class', () => ({ 'a-b': new (class Cart {})() }), 'value["a-b"]', /an instance of Cart/],
  ['a promise', () => [Promise.resolve()], 'value[0]', /an instance of Promise/],
  ['a WeakMap', () => new WeakMap(), 'value', /an instance of WeakMap/],
  ['a SharedArrayBuffer', () => ({ b: new SharedArrayBuffer(8) }), 'value.b', /a SharedArrayBuffer/],
  ['a view of one', () => [new Uint8Array(new SharedArrayBuffer(8))], 'value[0]', /a view of a Shared/],
  ['a Proxy', () => new Map([[1, new Proxy({}, {})]]), 'value[0]', /a Proxy/],
  ['a RegExp', () => /x/, 'value', /an instance of RegExp/],
  ['a boxed number', () => new Set([Object(1)]), 'value[0]', /an instance of Number/],
  [
    'a getter that throws',
    () => ({
      a: {
        get b() {
          throw new Error('no');
        },
      },
    }),
    'value.a.b',
    /reading it threw/,
  ],
  ['__proto__', () => ({ a: JSON.parse('{"__proto__": {"x": 1}}') }), 'value.a.__proto__', /of this name/],
  ['a transferred buffer', () => transferred(new ArrayBuffer(8)), 'value', /transferred/],
  [
    'a view of one',
    () => {
      const view = new Uint16Array(8);
      transferred(view.buffer);
      return view;
    },
    'value',
    /transferred/,
  ],
];

function transferred(buffer: ArrayBuffer): ArrayBuffer {
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

for (const [index, [title, value, path, got]] of refused.entries()) {
  test(`refused with its path: ${title} (${index + 1})`, (t) => {
    const error = t.throws(() => carried(value()), { instanceOf: PayloadError, message: got });
    t.is(error.code, 'SLUICE_MESSAGE_INVALID');
    t.is(error.path, path);
    t.deepEqual(carried({ fine: 1 }), { fine: 1 }, 'the next one is carried');
  });
}

test('plain objects of another realm are plain objects', (t) => {
  t.deepEqual(carried(runInNewContext('({ a: [1, { b: new Date(3) }] })')), { a: [1, { b: new Date(3) }] });
});

test('a getter that encodes another payload harms neither', (t) => {
  const other = new PayloadEncoder();
  const value = {
    first: 'x'.repeat(100),
    get inner() {
      t.true(encoder.isBusy);
      other.encode({ y: 1 }, 'value', limits);
      return other.length;
    },
  };
  const received = carried(value) as { first: string; inner: number };
  t.is(received.first, value.first);
  t.is(received.inner, 4);
});

test('depth, size and references are bounded, at the value that is too much', (t) => {
  let deep: unknown = 1;
  for (let i = 0; i < limits.maxDepth; i++) deep = { a: deep };
  t.notThrows(() => carried(deep));
  const tooDeep = t.throws(() => carried([deep]), { instanceOf: PayloadError, message: /within each other/ });
  t.is(tooDeep.path, `value[0]${'.a'.repeat(limits.maxDepth - 1)}`);

  const full = 'x'.repeat(limits.maxBytes - 10);
  t.is(carried(full), full);
  const tooLarge = t.throws(() => carried({ a: [full, full] }), { instanceOf: PayloadError });
  t.is(tooLarge.code, 'SLUICE_MESSAGE_TOO_LARGE');
  t.is(tooLarge.path, 'value.a[0]');
  const small = t.throws(() => carried('x'.repeat(200), { ...limits, maxBytes: 100 }), {
    instanceOf: PayloadError,
  });
  t.is(small.code, 'SLUICE_MESSAGE_TOO_LARGE', 'also when the buffer of a larger one would hold it');

  const shared = {};
  const often = new Array(1 + limits.maxReferences).fill(shared);
  t.notThrows(() => carried(often));
  const tooOften = t.throws(() => carried([...often, shared]), { instanceOf: PayloadError });
  t.regex(tooOften.message, /more than 1000 references/);
});

test('an error arrives with name, message, code, stack, cause and data', (t) => {
  class QuotaError extends RangeError {
    override readonly name = 'QuotaError';
    readonly code = 'QUOTA';
    readonly left = { bytes: 5n };
    readonly retry = () => undefined;
  }
  const error = new QuotaError('no more', { cause: new TypeError('inner', { cause: { id: 7 } }) });
  for (const received of [carried(error), thrown(error)] as QuotaError[]) {
    t.true(received instanceof Error);
    t.is(received.name, 'QuotaError');
    t.is(received.message, 'no more');
    t.is(received.code, 'QUOTA');
    t.is(received.stack, error.stack);
    t.deepEqual(received.left, { bytes: 5n });
    t.is(received.retry as unknown, undefined);
    t.true(received.cause instanceof TypeError);
    t.deepEqual((received.cause as TypeError).cause, { id: 7 });
  }
});

test('an AggregateError whose cause is itself, and a stack whose getter throws, arrive', (t) => {
  const error = new AggregateError([new Error('one'), new SyntaxError('two')], 'both');
  error.cause = error;
  Object.defineProperty(error, 'stack', {
    get() {
      throw new Error('no stack');
    },
  });
  const received = thrown(error) as AggregateError;
  t.true(received instanceof AggregateError);
  t.is(received.cause, received);
  t.deepEqual(
    received.errors.map(({ message }: Error) => message),
    ['one', 'two'],
  );
});

test('a chain of causes ends where the report of an error ends', (t) => {
  let error = new Error('0');
  for (let i = 1; i < 20; i++) error = new Error(String(i), { cause: error });
  let depth = 0;
  for (let at: unknown = thrown(error); at instanceof Error; at = at.cause) depth++;
  t.is(depth, MAX_ERRORS);
});

test('of an error’s properties the first 64 arrive, and none with a longer name than an error may have', (t) => {
  const error = new Error('with data');
  const long = 'x'.repeat(MAX_NAME_CHARS + 1);
  for (const name of [long, ...Array.from({ length: 80 }, (_, n) => `p${n}`)]) {
    Object.defineProperty(error, name, { value: name, enumerable: true });
  }
  const names = Object.keys(thrown(error) as object);
  t.deepEqual(
    names,
    Array.from({ length: 63 }, (_, n) => `p${n}`),
  );
});

test('whatever is thrown arrives as an error', (t) => {
  const hostile: unknown[] = [
    undefined,
    null,
    'text',
    5,
    Symbol('s'),
    () => 1,
    new Proxy({}, { get: fail, ownKeys: fail }),
  ];
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const each of [...hostile, proxy, { message: 'like one', name: 'X' }, Object.create(null)]) {
    t.true(thrown(each) instanceof Error);
  }
  const custom = Object.assign(new Error('x'), { errors: new Proxy([], { get: fail }) });
  t.is(thrown(custom).message, 'x');
});

function fail(): never {
  throw new Error('a trap');
}

test('whatever the bytes are, they are a value or refused, and nothing gets a prototype', (t) => {
  const forged = Buffer.concat([
    Buffer.from([0x81, 0xa9]),
    Buffer.from('__proto__'),
    Buffer.from([0x81, 0xa1, 0x78, 1]),
  ]);
  t.throws(() => decoder.decode(forged, 0, forged.length, limits), { message: /name of a property/ });
  const huge = Buffer.from([0xdd, 0x7f, 0xff, 0xff, 0xff]);
  t.throws(() => decoder.decode(huge, 0, huge.length, limits), { message: /as many elements as/ });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    anything.chain((value) => {
      const valid = bytesOf(value);
      return fc
        .array(fc.tuple(fc.nat(Math.max(0, valid.length - 1)), fc.nat(255)), { maxLength: 4 })
        .map((changes) => {
          const changed = Buffer.from(valid);
          for (const [at, byte] of changes) changed[at] = byte;
          return changed;
        });
    }),
  );
  fc.assert(
    fc.property(bytes, fc.nat(16), (content, before) => {
      const around = Buffer.alloc(before + content.length + 16, 0xc1);
      around.set(content, before);
      try {
        decoder.decode(around, before, before + content.length, limits);
      } catch (error) {
        assert.ok(error instanceof PayloadError, String(error));
      }
      assert.equal(Reflect.get({}, 'x'), undefined);
    }),
    { numRuns: 5_000 },
  );
  t.pass();
});

test('memory for a large payload is used again while the next are as large, and given back when they are not', (t) => {
  const own = new PayloadEncoder();
  const roomy = { ...limits, maxBytes: 4_194_304 };
  const large = new Uint8Array(1_048_576);
  own.encode(large, 'value', roomy);
  const { buffer } = own.bytes;
  own.encode(large, 'value', roomy);
  t.is(own.bytes.buffer, buffer);
  for (let n = 0; n < 2; n++) own.encode('small', 'value', roomy);
  t.true(own.bytes.length <= 262_144);
  t.is(decoder.decode(own.bytes, 0, own.length, roomy), 'small');
});

test('of an array the elements are carried, and properties beside them are not', (t) => {
  const match = /(b)(?<rest>.*)/.exec('abc');
  t.deepEqual(carried(match), ['bc', 'b', 'c']);
  t.deepEqual(carried(Object.assign([1, 2], { extra: 3 })), [1, 2]);
});

test('arrays, maps, sets and dates of another context are carried as ours', (t) => {
  const made = runInNewContext(
    '({ a: [1], m: new Map([[1, 2]]), s: new Set([3]), d: new Date(4) })',
  ) as object;
  t.deepEqual(carried(made), { a: [1], m: new Map([[1, 2]]), s: new Set([3]), d: new Date(4) });
});

test('few objects are told apart one by one and many by a map, with the same references', (t) => {
  for (let count = 1; count <= 40; count++) {
    const objects = Array.from({ length: count }, (_, n) => ({ n }));
    const value = carried([...objects, ...objects.toReversed()]) as { n: number }[];
    t.deepEqual(value, [...objects, ...objects.toReversed()]);
    for (let n = 0; n < count; n++) t.is(value[n], value[2 * count - 1 - n], `${n} of ${count}`);
    // What an error leaves out was met, and is forgotten.
    const error = Object.assign(new Error('with data'), {
      kept: objects,
      lost: [{ deep: () => undefined }],
      again: objects,
    });
    const arrived = carried(error) as Error & { kept: unknown; lost?: unknown; again: unknown };
    t.deepEqual(arrived.kept, objects);
    t.is(arrived.again, arrived.kept);
    t.is(arrived.lost, undefined);
  }
});

test('short strings that are the same are the same, and those that share a place are not', (t) => {
  for (let round = 0; round < 3; round++) {
    for (const text of [
      '',
      'a',
      'aXb',
      'aYb',
      'é',
      'ab\u0000',
      'x'.repeat(31),
      'x'.repeat(32),
      'name',
      'nbme',
    ])
      t.is(carried(text), text);
  }
});
