/** Work of known names: what it computes is nothing, but profiles must say where. */
import { existsSync } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';

const kept: object[] = [];
const secret = { word: 'a-secret-in-the-heap' };

function hotFunction(ms: number): number {
  const untilMs = performance.now() + ms;
  let sum = 0;
  while (performance.now() < untilMs) for (let i = 0; i < 1_000; i++) sum += Math.sqrt(sum + i);
  return sum;
}

/** One computation, in which the event loop never turns, until a file is there. */
function longComputation(file: string): void {
  while (!existsSync(file)) hotFunction(5);
}

function keepObjects(): void {
  for (let i = 0; i < 20_000; i++) kept.push({ word: secret.word, number: i, more: [i, i + 1, i + 2] });
}

/** `/POOL/DOING/WITH`: see the cases. */
export default async function heavy(exchange: Exchange): Promise<void> {
  const [, , doing, argument = ''] = exchange.request.path.split('/');
  switch (doing) {
    case 'hot':
      hotFunction(Number(argument));
      break;
    case 'long':
      exchange.respond(200, {});
      // The client knows by it that the thread is about to compute.
      await exchange.write(new Uint8Array(1));
      // What a turn has to say it says at its end.
      await new Promise((resolve) => setImmediate(resolve));
      longComputation(decodeURIComponent(argument));
      await exchange.end();
      return;
    case 'keep':
      keepObjects();
      break;
    case 'exit':
      process.exit(7);
      break;
    case 'throw':
      setImmediate(() => {
        throw new Error('thrown on purpose');
      });
      // Never answered.
      await new Promise(() => undefined);
      break;
    case 'download': {
      exchange.respond(200, {});
      const piece = new Uint8Array(65_536);
      for (let i = 0; i < Number(argument); i++) await exchange.write(piece);
      await exchange.end();
      return;
    }
  }
  exchange.respond(200, {}, String(kept.length));
}
