/**
 * The contenders' threads: a caller and a responder, joined by a port of their own or by way of the main
 * thread; and one thread that copies, or computes, alone.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { expose, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import {
  asks,
  CHUNK_BYTES,
  chunks,
  handle,
  type Order,
  type Receipt,
  type Run,
  STREAM_ITEMS,
} from './work.ts';

export interface Role {
  readonly role: 'caller' | 'answers' | 'copies' | 'computes';
  readonly by: 'postMessage' | 'comlink';
  /** The port to the other thread; null: none. */
  readonly port: MessagePort | null;
}

interface Asked {
  readonly id: number;
  readonly order?: Order;
  readonly chunks?: number;
}

interface Answered {
  readonly id: number;
  readonly receipt?: Receipt;
  readonly chunk?: Uint8Array;
}

interface Waiting {
  resolve(receipt: Receipt): void;
  reject(error: Error): void;
}

/** The way that applications do it by hand: a number for each message, and a promise per number. */
function askBy(port: MessagePort): (order: Order) => Promise<Receipt> {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  port.on('message', ({ id, receipt }: Answered) => {
    const own = waiting.get(id);
    waiting.delete(id);
    if (receipt === undefined) own?.reject(new Error('no receipt'));
    else own?.resolve(receipt);
  });
  return (order) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve, reject });
      port.postMessage({ id, order });
    });
}

/** Cloned chunks, requested half a window at a time. */
async function* chunksBy(port: MessagePort): AsyncGenerator<Uint8Array> {
  const come: Uint8Array[] = [];
  let wake: (() => void) | undefined;
  const onMessage = ({ chunk }: Answered) => {
    if (chunk !== undefined) come.push(chunk);
    wake?.();
  };
  port.on('message', onMessage);
  try {
    port.postMessage({ id: 0, chunks: STREAM_ITEMS });
    for (let taken = 1; ; taken++) {
      while (come.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (taken % (STREAM_ITEMS / 2) === 0) port.postMessage({ id: 0, chunks: STREAM_ITEMS / 2 });
      yield come.shift() as Uint8Array;
    }
  } finally {
    port.off('message', onMessage);
  }
}

function answer(port: MessagePort): void {
  const chunk = new Uint8Array(CHUNK_BYTES).fill(7);
  port.on('message', ({ id, order, chunks: wanted = 0 }: Asked) => {
    if (order !== undefined) port.postMessage({ id, receipt: handle(order) });
    for (let n = 0; n < wanted; n++) port.postMessage({ id, chunk });
  });
}

/** The cost of just two copies: into a ring and out of it. */
function copy(milliseconds: number): number {
  const [from, ring, to] = Array.from({ length: 3 }, () => Buffer.alloc(CHUNK_BYTES, 7));
  const endMs = performance.now() + milliseconds;
  let count = 0;
  for (; performance.now() < endMs; count++) {
    from.copy(ring);
    ring.copy(to);
  }
  return count;
}

/** Made once and kept, because Comlink closes the port when its proxy has been collected. */
function asker({ by, port }: Role): (order: Order) => Promise<Receipt> {
  const own = port as MessagePort;
  if (by === 'postMessage') return askBy(own);
  const remote = wrap<{ handle(order: Order): Receipt }>(nodeEndpoint(own));
  return (order) => remote.handle(order) as Promise<Receipt>;
}

const role = workerData as Role;
let ask: ((order: Order) => Promise<Receipt>) | null = null;

async function call(run: Run): Promise<number> {
  if (run.load === 'stream') return await chunks(chunksBy(role.port as MessagePort), run.milliseconds);
  ask ??= asker(role);
  return await asks(ask, run);
}

if (role.role === 'computes') {
  parentPort?.postMessage('computes');
  for (;;) Math.hypot(Math.random(), Math.random());
} else if (role.role === 'answers') {
  if (role.by === 'comlink') expose({ handle }, nodeEndpoint(role.port as MessagePort));
  else answer(role.port as MessagePort);
} else {
  parentPort?.on('message', async (run: Run) => {
    parentPort?.postMessage(role.role === 'copies' ? copy(run.milliseconds) : await call(run));
  });
}
