/**
 * Ways to use more memory than a thread's heap may have. Each runs in a worker thread, chosen by
 * `workerData`.
 */
import { parentPort, resourceLimits, workerData } from 'node:worker_threads';

const MIB = 1_048_576;
/** The size of what a step makes that must exceed the heap: four times the heap. */
const LARGE_BYTES = 4 * MIB * (resourceLimits.maxOldGenerationSizeMb ?? 64);

let kept: unknown;

type Pattern = () => unknown;

/** Text of this many bytes, stored outside the heap, as Node makes it. */
const text = (pattern: string, bytes = LARGE_BYTES): string =>
  Buffer.alloc(bytes, pattern).toString('latin1');

/** In the order of the table: a description and the code. */
export const patterns: { readonly [name: string]: Pattern } = {
  'many small objects, kept in an array': () => {
    const list: object[] = [];
    kept = list;
    for (let i = 0; ; i++) list.push({ i });
  },
  'arrays of 800 kB, kept': () => {
    const list: number[][] = [];
    kept = list;
    for (;;) list.push(new Array<number>(100_000).fill(list.length));
  },
  'one array that numbers are pushed onto': () => {
    const list: number[] = [];
    kept = list;
    for (;;) list.push(0.5);
  },
  'one array, filled at its full length': () => {
    kept = new Array<number>(LARGE_BYTES / 8).fill(0.5);
  },
  'a Map that grows': () => {
    const map = new Map<number, number>();
    kept = map;
    for (let i = 0; ; i++) map.set(i, i);
  },
  'an object with more and more keys': () => {
    const object: { [key: string]: number } = {};
    kept = object;
    for (let i = 0; ; i++) object[`key-${i}`] = i;
  },
  'closures, each holding the one before': () => {
    let last = (): unknown => undefined;
    for (;;) {
      const before = last;
      last = () => before;
      kept = last;
    }
  },
  'promises that wait': async () => {
    const list: Promise<void>[] = [];
    kept = list;
    for (;;) list.push(new Promise(() => undefined));
  },
  'async functions, a turn after every 1,000': async () => {
    const list: Promise<void>[] = [];
    kept = list;
    for (let i = 0; ; i++) {
      list.push((async () => new Promise<void>(() => undefined))());
      if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  },
  'pieces of text, 100 kB each, kept': () => {
    const list: string[] = [];
    kept = list;
    for (let i = 0; ; i++) list.push(text(String(i), 100_000));
  },
  'text that is doubled and read': () => {
    let doubled = 'abcdefgh';
    for (;;) {
      doubled += doubled;
      // Reading the text flattens it into one piece.
      kept = [doubled, doubled.charCodeAt(doubled.length >> 1)];
    }
  },
  'a split of large text into words': () => {
    kept = text('some word or other, ').split(',');
  },
  'a match of every character': () => {
    kept = text('abcdefgh', LARGE_BYTES / 8).match(/./g);
  },
  'a spread of text': () => {
    kept = [...text('abcdefgh', LARGE_BYTES / 8)];
  },
  'JSON.parse of an array of numbers': () => {
    kept = JSON.parse(`[${text('1,')}1]`);
  },
  'JSON.parse of an array of objects': () => {
    kept = JSON.parse(`[${text('{"a":"b"},', 10 * (LARGE_BYTES >> 4))}1]`);
  },
  'JSON.stringify': () => {
    kept = JSON.stringify(new Array(LARGE_BYTES / 256).fill({ text: 'x'.repeat(256) }));
  },
  'a message of objects that is received': async () => {
    parentPort?.postMessage('send');
    kept = await new Promise((resolve) => parentPort?.once('message', resolve));
  },
  'large text out of bytes (TextDecoder, body.text)': () => {
    kept = new TextDecoder().decode(Buffer.alloc(LARGE_BYTES, 'é'));
  },
  'functions made of text (new Function), kept': () => {
    const list: unknown[] = [];
    kept = list;
    for (let i = 0; ; i++) {
      const made = new Function('a', `return a + ${i} + ${'(a * 2) + '.repeat(200)} 0;`);
      made(i);
      list.push(made);
    }
  },
  'recursion without end': () => {
    const deeper = (): number => deeper() + 1;
    return deeper();
  },
  'Buffers and typed arrays': () => {
    const list: Uint8Array[] = [];
    kept = list;
    for (let bytes = 0; bytes < LARGE_BYTES; bytes += MIB) list.push(Buffer.alloc(MIB, 1));
  },
  'text of more than 1 MB out of a Buffer': () => {
    const list: string[] = [];
    kept = list;
    for (let bytes = 0; bytes < LARGE_BYTES; bytes += 2 * MIB) list.push(text('a', 2 * MIB));
  },
  'a WebAssembly memory': () => {
    const memory = new WebAssembly.Memory({ initial: 0, maximum: 65_536 });
    memory.grow(LARGE_BYTES / 65_536);
    new Uint8Array(memory.buffer).fill(1);
    kept = memory;
  },
};

if (workerData !== null) {
  await patterns[workerData as string]?.();
  // A limit that was exceeded ends the thread soon, but not at once.
  for (let turn = 0; turn < 20; turn++) {
    new Array(100_000).fill(turn);
    await new Promise((resolve) => setImmediate(resolve));
  }
  parentPort?.postMessage(kept === undefined ? 'nothing' : 'finished');
}
