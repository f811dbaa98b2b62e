/** Prints from everywhere that code of a request runs: at once, behind an await, in a timer, and to both streams. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from '../../../workers/gateway.ts';

console.log('while it loads');

export default async (exchange: Exchange): Promise<void> => {
  const [pathname = ''] = exchange.request.path.split('?');
  const [, what = '', text = ''] = pathname.split('/').map(decodeURIComponent);
  if (what === 'everywhere') {
    console.log(`${text} at once`);
    await delay(1);
    console.log(`${text} behind an await`);
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        console.error(`${text} in a timer`);
        resolve();
      }, 1);
    });
  } else if (what === 'print') {
    console.log(text);
  } else if (what === 'bytes') {
    process.stdout.write(Buffer.from(text));
    process.stdout.write(Buffer.from(`${text} in latin1`).toString('latin1'), 'latin1');
  } else if (what === 'later') {
    // Nobody waits for it: the exchange is over by then.
    setTimeout(() => console.log(`${text} later`), 1);
  } else if (what === 'fail') {
    throw new Error('asked to');
  }
  exchange.respond(200, {}, what);
};
