/** Keeps its thread from its event loop in the way that the path names. */
import { execFileSync } from 'node:child_process';
import type { Exchange } from '../../../workers/gateway.ts';

/** A module that exports `f`: a loop without an end. */
const ENDLESS_WASM = Buffer.from(
  '0061736d0100000001040160000003020100070501016600000a0901070003400c000b0b',
  'hex',
);

const ways: { readonly [name: string]: () => void } = {
  loop: () => {
    for (;;);
  },
  wait: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  regexp: () => {
    /^(a+)+$/.test(`${'a'.repeat(64)}b`);
  },
  wasm: () => {
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(ENDLESS_WASM)).exports;
    (f as () => void)();
  },
  child: () => {
    execFileSync('sh', ['-c', 'sleep 3600; true']);
  },
};

export default async function hanging(exchange: Exchange): Promise<void> {
  const [, name = ''] = exchange.request.path.split('/');
  const hang = ways[name];
  if (name === 'hold') return new Promise(() => undefined);
  if (name === 'timer') {
    exchange.inform(103, {});
    return new Promise(() => setTimeout(ways.loop as () => void, 1));
  }
  if (name === 'microtask') {
    await exchange.body.bytes();
    for (;;);
  }
  hang?.();
  exchange.respond(200, {}, '');
}
