/** Staged exchanges (see there), and some that take their thread with them. */

import type { Exchange } from '../../../workers/gateway.ts';
import staged from '../../server/applications/staged.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const deaths: { readonly [path: string]: () => void } = {
  '/exit': () => process.exit(5),
  '/throw': () => {
    setImmediate(() => {
      throw new Error('thrown where nobody catches');
    });
  },
  '/reject': () => {
    void Promise.reject(new Error('rejected where nobody looks'));
  },
  '/heap': () => {
    const kept: number[][] = [];
    for (;;) kept.push(new Array<number>(100_000).fill(kept.length));
  },
  '/stack': () => {
    const deeper = (): number => deeper() + 1;
    setImmediate(deeper);
  },
};

export default async function deadly(exchange: Exchange): Promise<void> {
  const { path, fields } = exchange.request;
  const { pathname, searchParams } = new URL(path, 'http://test.invalid');
  const name = pathname.slice(pathname.lastIndexOf('/'));
  const die = deaths[name];
  if (die === undefined) return staged(exchange);
  if (searchParams.has('held')) {
    // Until the word comes the thread begins nothing else.
    const signals = new Signals(fields.get(SIGNALS_FIELD) ?? '');
    signals.tell('begunheld');
    signals.blockUntil('die');
  }
  die();
  await exchange.closed;
}
