/** Built-in objects are carried for what their slots say, as a structured clone does it, whatever their prototypes are. */
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { carried } from './carried.ts';

/** Built-in objects that are carried, each made in a realm. */
const BUILT_IN = {
  'an Array': '[1, [2]]',
  'a Map': "new Map([['a', 1], ['b', { c: 2 }]])",
  'a Set': "new Set([1, 'two'])",
  'a Date': 'new Date(5)',
  'an ArrayBuffer': 'new Uint8Array([1, 2, 3]).buffer',
  'a Uint8Array': 'new Uint8Array([1, 2, 3])',
  'a Uint8ClampedArray': 'new Uint8ClampedArray([1, 2, 3])',
  'a Float64Array': 'new Float64Array([1.5, -0])',
  'a BigInt64Array': 'new BigInt64Array([1n, -1n])',
  'a part of a buffer': 'new Uint16Array(new ArrayBuffer(16), 4, 2)',
  'a DataView': 'new DataView(new Uint8Array([1, 2, 3]).buffer, 1)',
} as const;

const PROTOTYPES: readonly [title: string, give: (object: object) => object][] = [
  ['with its own prototype', (object) => object],
  ['with no prototype', (object) => Object.setPrototypeOf(object, null)],
  ['with the prototype of plain data', (object) => Object.setPrototypeOf(object, Object.prototype)],
  ['with the prototype of a class', (object) => Object.setPrototypeOf(object, class Other {}.prototype)],
  [
    'with the prototype of a class that extends its own',
    (object) => {
      class Sub extends (object.constructor as new () => object) {}
      return Object.setPrototypeOf(object, Sub.prototype);
    },
  ],
];

for (const [kind, source] of Object.entries(BUILT_IN)) {
  test(`as a structured clone, whatever its prototype is: ${kind}`, (t) => {
    for (const [realm, made] of [
      ['here', () => runInNewContext(source, globalThis)],
      ['elsewhere', () => runInNewContext(source)],
    ] as const) {
      for (const [title, give] of PROTOTYPES) {
        const value = give(made() as object);
        const clone = structuredClone(value) as object;
        const received = carried([value]) as object[];
        t.notThrows(() => assert.deepStrictEqual(received, [clone]), `${title}, made ${realm}`);
        t.is(Object.getPrototypeOf(received[0]), Object.getPrototypeOf(clone), `${title}, made ${realm}`);
      }
    }
  });
}

test('an error is one whatever its prototype is', (t) => {
  for (const [title, give] of PROTOTYPES) {
    const received = carried(give(new RangeError('too much'))) as Error;
    t.true(received instanceof Error, title);
    t.is(received.message, 'too much', title);
  }
});

test('a Buffer is a Uint8Array with the bytes that it shows', (t) => {
  const received = carried(Buffer.from('abc')) as Uint8Array;
  t.is(Object.getPrototypeOf(received), Uint8Array.prototype);
  t.deepEqual(received, new Uint8Array([0x61, 0x62, 0x63]));
  t.is(received.buffer.byteLength, 3);
});

test('what a subclass says of itself is not asked', (t) => {
  const no = (): never => {
    throw new Error('asked');
  };
  class Liar extends Map<unknown, unknown> {
    override get size(): number {
      return 99;
    }
    override entries = no;
    override get = no;
    override forEach = no;
    override [Symbol.iterator] = no;
  }
  t.deepEqual(carried(new Liar([])), new Map());
  const liar = new Liar();
  Map.prototype.set.call(liar, 1, 2);
  t.deepEqual(carried(liar), new Map([[1, 2]]));
  class LyingSet extends Set<unknown> {
    override get size(): number {
      return 99;
    }
    override values = no;
    override [Symbol.iterator] = no;
  }
  t.deepEqual(carried(new LyingSet([1])), new Set([1]));
  class LyingBytes extends Uint8Array {
    override get byteLength(): number {
      return 99;
    }
    override get byteOffset(): number {
      return 2;
    }
    override get buffer(): ArrayBuffer {
      return no();
    }
  }
  t.deepEqual(carried(new LyingBytes([1, 2, 3])), new Uint8Array([1, 2, 3]));
  class LyingDate extends Date {
    override getTime = no;
    override valueOf = no;
  }
  t.deepEqual(carried(new LyingDate(7)), new Date(7));
});
