/**
 * Says in a file which requests it has begun, and does with its thread what another file said when the thread was started: see
 * `fault-load.ts`. A line of a file is written at once, whatever becomes of the thread.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';
import type { Fate } from '../fault-load.ts';

const { TEST_JOURNAL = '', TEST_FATE = '' } = process.env;
const read = () => readFileSync(TEST_FATE, 'utf8') as Fate;
const fate = read();
const kept: Buffer[] = [];

const ends: { readonly [path: string]: () => void } = {
  '/loop': () => {
    for (;;);
  },
  '/wait': () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  '/regexp': () => void /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  '/exit': () => process.exit(5),
  '/reject': () => void Promise.reject(new Error('rejected where nobody looks')),
  '/heap': () => {
    const grown: number[][] = [];
    for (;;) grown.push(new Array<number>(100_000).fill(grown.length));
  },
};

if (fate === 'hangs on load') for (;;);
if (fate === 'waits on load') {
  while (read() === fate) await new Promise((resolve) => setTimeout(resolve, 5));
}
if (fate === 'dies soon') {
  setTimeout(() => {
    throw new Error('not for long');
  }, 20);
}

async function answer(exchange: Exchange): Promise<void> {
  const { pathname, searchParams } = new URL(exchange.request.path, 'http://test.invalid');
  const id = searchParams.get('id');
  appendFileSync(TEST_JOURNAL, `${id}\n`);
  const end = ends[pathname];
  if (end !== undefined) {
    end();
    await exchange.closed;
    return;
  }
  // Filled, so that the process really has it.
  if (pathname === '/leak') kept.push(Buffer.alloc(1_000_000, 1));
  exchange.respond(200, {}, `ran ${id}`);
}

export default {
  application: answer,
  start: () => {
    if (fate === 'dies in start') process.exit(6);
  },
  stop: async () => {
    if (fate === 'dies in stop') {
      setImmediate(() => {
        throw new Error('died in stop');
      });
    }
    if (fate !== 'lives') await new Promise(() => setInterval(() => undefined, 1_000_000));
  },
};
