/** Every kind of value: carried as a structured clone would be, or refused with its path, and never changed in silence. */
import * as node from 'node:path';
import test from 'ava';
import { testActors } from '../../runtime/testing/actors.ts';
import { PayloadError } from '../../wire/payload/forms.ts';
import { carried } from './carried.ts';

/** Changes what is read behind it, while it is read. */
function changing(change: () => void): object {
  return {
    get now() {
      change();
      return 1;
    },
  };
}

function resized(length: number, view: (buffer: ArrayBuffer) => unknown): () => unknown {
  return () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 16 });
    const shown = view(buffer);
    return [changing(() => buffer.resize(length)), shown];
  };
}

class Account {
  readonly #balance = 5;
  get balance(): number {
    return this.#balance;
  }
}

async function* asyncItems(): AsyncGenerator<number> {
  yield 1;
}

function* items(): Generator<number> {
  yield 1;
}

const plain = (object: object): object => Object.setPrototypeOf(object, Object.prototype);
const bare = (object: object): object => Object.setPrototypeOf(object, null);

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const refused: readonly [title: string, value: () => unknown, path: string, got: string][] = [
  ['an async function', () => [async () => 1], '[0]', 'a function'],
  ['a class', () => ({ Account }), '.Account', 'a function'],
  ['a function as a key', () => ({ m: new Map([[() => 1, 1]]) }), '.m[0]', 'a function'],
  ['a function in a Set', () => new Set([1, () => 1]), '[1]', 'a function'],
  ['a symbol in a Set', () => ({ s: new Set([Symbol('s')]) }), '.s[0]', 'a symbol'],
  ['a symbol that is registered', () => [Symbol.for('s')], '[0]', 'a symbol'],
  ['an instance with private state', () => ({ a: new Account() }), '.a', 'an instance of Account'],
  ['an object of an object', () => [Object.create({ inherited: 1 })], '[0]', 'an instance of Object'],
  ['a WeakRef', () => [new WeakRef({})], '[0]', 'an instance of WeakRef'],
  ['a WeakSet', () => new WeakSet(), '', 'an instance of WeakSet'],
  [
    'a FinalizationRegistry',
    () => new FinalizationRegistry(() => 1),
    '',
    'an instance of FinalizationRegistry',
  ],
  ['a generator', () => ({ rows: items() }), '.rows', 'a generator'],
  ['an async generator within data', () => ({ rows: asyncItems() }), '.rows', 'a generator'],
  ['a ReadableStream within data', () => [[new ReadableStream()]], '[0][0]', 'an instance of ReadableStream'],
  [
    'a hand-made stream within data',
    () => ({ rows: { [Symbol.asyncIterator]: () => asyncItems() } }),
    '.rows',
    'a stream within data',
  ],
  ['the iterator of a Map', () => [new Map().entries()], '[0]', 'an instance of Iterator'],
  ['a Blob', () => ({ file: new Blob(['x']) }), '.file', 'an instance of Blob'],
  ['a URL', () => [new URL('http://localhost/')], '[0]', 'an instance of URL'],
  ['Headers', () => new Headers(), '', 'an instance of Headers'],
  [
    'an AbortSignal',
    () => ({ signal: new AbortController().signal }),
    '.signal',
    'an instance of AbortSignal',
  ],
  ['a port', () => [new MessageChannel().port1], '[0]', 'an instance of MessagePort'],
  ['a boxed bigint', () => [Object(1n)], '[0]', 'an instance of BigInt'],
  ['a boxed string', () => [Object('s')], '[0]', 'an instance of String'],
  ['a boxed symbol', () => [Object(Symbol('s'))], '[0]', 'an instance of Symbol'],
  ['a module', () => ({ module: node }), '.module', 'a module'],
  ['a promise that says it is plain', () => [plain(Promise.resolve())], '[0]', 'a Promise'],
  ['a RegExp without a prototype', () => [bare(/x/)], '[0]', 'a RegExp'],
  ['a boxed number that says it is plain', () => [plain(Object(1))], '[0]', 'a boxed primitive'],
  ['a WeakMap without a prototype', () => [bare(new WeakMap())], '[0]', 'a WeakMap'],
  ['a WeakSet that says it is plain', () => [plain(new WeakSet())], '[0]', 'a WeakSet'],
  ['an async generator without a prototype', () => [bare(asyncItems())], '[0]', 'a generator'],
  ['shared memory without a prototype', () => [bare(new SharedArrayBuffer(1))], '[0]', 'a SharedArrayBuffer'],
  [
    'a view of shared memory without a prototype',
    () => [bare(new DataView(new SharedArrayBuffer(1)))],
    '[0]',
    'a view of a SharedArrayBuffer',
  ],
  ['a Proxy that was revoked', () => [revoked()], '[0]', 'a Proxy'],
  ['a Proxy of an array', () => ({ list: new Proxy([], {}) }), '.list', 'a Proxy'],
  [
    'a Map that grows while it is read',
    () => {
      const map = new Map<unknown, unknown>();
      map.set(
        1,
        changing(() => map.set(2, 2)),
      );
      return { map };
    },
    '.map',
    'a Map that changes while it is read',
  ],
  [
    'a Map that shrinks while it is read',
    () => {
      const map = new Map<unknown, unknown>();
      map
        .set(
          1,
          changing(() => map.delete(2)),
        )
        .set(2, 2);
      return map;
    },
    '',
    'a Map that changes while it is read',
  ],
  [
    'a Set that grows while it is read',
    () => {
      const set = new Set<unknown>();
      set.add(changing(() => set.add(2)));
      return [set];
    },
    '[0]',
    'a Set that changes while it is read',
  ],
  [
    'a Set that shrinks while it is read',
    () => {
      const set = new Set<unknown>();
      set.add(changing(() => set.delete(2))).add(2);
      return [set];
    },
    '[0]',
    'a Set that changes while it is read',
  ],
  [
    'a view whose memory has shrunk',
    resized(4, (buffer) => new Uint8Array(buffer, 2, 6)),
    '[1]',
    'a view whose memory has been transferred or has shrunk',
  ],
  [
    'a DataView whose memory has shrunk',
    resized(4, (buffer) => new DataView(buffer, 2, 6)),
    '[1]',
    'a view whose memory has been transferred or has shrunk',
  ],
  [
    'a view whose memory is transferred while it is read',
    () => {
      const view = new Float32Array(2);
      return { first: changing(() => view.buffer.transfer()), view };
    },
    '.view',
    'a view whose memory has been transferred or has shrunk',
  ],
  [
    'an ArrayBuffer without a prototype that is transferred while it is read',
    () => {
      const buffer = new ArrayBuffer(2);
      return [changing(() => ArrayBuffer.prototype.transfer.call(buffer)), bare(buffer)];
    },
    '[1]',
    'an ArrayBuffer whose memory has been transferred',
  ],
];

for (const [index, [title, make, path, got]] of refused.entries()) {
  test(`refused with its path, and the next value is carried: ${title} (${index + 1})`, (t) => {
    const error = t.throws(() => carried(make()), { instanceOf: PayloadError });
    t.is(error.code, 'SLUICE_MESSAGE_INVALID');
    t.is(error.path, `value${path}`);
    t.is(error.message, `value${path}: expected plain data, got ${got}`);
    t.deepEqual(carried({ fine: 1 }), { fine: 1 });
  });
}

const handled: readonly [title: string, value: () => unknown, expected: unknown][] = [
  ['a property whose name is a symbol', () => ({ a: 1, [Symbol('s')]: 2 }), { a: 1 }],
  ['an object that says it is a Map', () => ({ [Symbol.toStringTag]: 'Map' }), {}],
  [
    'the arguments of a function',
    () =>
      (function f(..._: unknown[]) {
        // biome-ignore lint/complexity/noArguments: it is what is sent
        return arguments;
      })(1, 2),
    { 0: 1, 1: 2 },
  ],
  [
    'a view that follows its memory',
    resized(4, (buffer) => new Uint8Array(buffer)),
    [{ now: 1 }, new Uint8Array(4)],
  ],
  [
    'memory that grows',
    resized(16, (buffer) => new Uint8Array(buffer, 0, 8)),
    [{ now: 1 }, new Uint8Array(8)],
  ],
  ['an ArrayBuffer that shrinks', resized(4, (buffer) => buffer), [{ now: 1 }, new ArrayBuffer(4)]],
  [
    'an array that shrinks while it is read',
    () => {
      const list: unknown[] = [];
      list.push(
        changing(() => {
          list.length = 1;
        }),
        2,
      );
      return list;
    },
    // biome-ignore lint/suspicious/noSparseArray: what was there is not
    [{ now: 1 }, ,],
  ],
  [
    'an array that grows while it is read',
    () => {
      const list: unknown[] = [];
      list.push(changing(() => list.push(3)));
      return list;
    },
    [{ now: 1 }],
  ],
  [
    'a property that is deleted while its object is read',
    () => {
      const object: Record<string, unknown> = {};
      Object.assign(object, { first: changing(() => delete object.second), second: 2 });
      return object;
    },
    { first: { now: 1 }, second: undefined },
  ],
];

for (const [title, make, expected] of handled) {
  test(`carried: ${title}`, (t) => t.deepEqual(carried(make()), expected));
}

class Maker {
  readonly key: string;

  constructor(key: string, _context: object) {
    this.key = key;
  }

  takes(value: unknown): unknown {
    return value;
  }

  makes(index: number): unknown {
    return refused[index]?.[1]();
  }
}

test('who sends it hears of it, and who asks for it, with the path in what was sent', async (t) => {
  const started = await testActors({ maker: Maker });
  t.teardown(() => started.close());
  const maker = started.actors.maker.of('k');
  for (const [index, [title, make, path, got]] of refused.entries()) {
    const says = `: expected plain data, got ${got}`;
    const sent = await t.throwsAsync(maker.takes([make()]), undefined, title);
    t.like(sent, {
      code: 'SLUICE_MESSAGE_INVALID',
      begun: 'no',
      by: 'caller',
      message: `maker.takes: arguments[0][0]${path}${says}`,
    });
    const returned = await t.throwsAsync(maker.makes(index), undefined, title);
    t.like(returned, {
      code: 'SLUICE_MESSAGE_INVALID',
      begun: 'yes',
      by: 'actor',
      message: `maker: result${path}${says} (method makes)`,
    });
  }
  t.is(await maker.takes('fine'), 'fine');
});
