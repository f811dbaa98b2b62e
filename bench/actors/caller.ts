/**
 * The application whose thread calls the actors. A request says which calls to make; the response says what
 * happened.
 */
import { actor, traceContext } from '../../workers/actors/actors.ts';
import type { Exchange } from '../../workers/gateway.ts';
import type { Counted, Till } from './hosted.ts';
import { asks, chunks, type Run } from './work.ts';

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const TELLS_IN_FLIGHT = 512;
const till = actor<typeof Till>('till');
const counted = actor<typeof Counted>('counted');

export default async function caller(exchange: Exchange): Promise<void> {
  const asked = JSON.parse(await exchange.body.text()) as (Run & How) | Keys;
  const answer = 'keys' in asked ? await tells(asked) : await run(asked);
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(answer));
}

interface How {
  readonly traced: boolean;
  readonly reuses: boolean;
}

function run({ traced, reuses, ...what }: Run & How): Promise<number> {
  const begin = () =>
    what.load === 'ask'
      ? asks((order) => till.handle(order), what)
      : chunks(till.chunks({ reuseMemory: reuses }), what.milliseconds);
  return traced ? traceContext.run(TRACE, begin) : begin();
}

/** The last sequence number sent to each key, over all requests. */
let sequences: Uint32Array | undefined;
let state = 12_345;

export interface Keys {
  readonly keys: number;
  readonly messages: number;
}

/**
 * Sends messages to random keys in sequence, some of them while an earlier message to the same key is in
 * flight, and counts what arrived.
 */
async function tells({ keys, messages }: Keys): Promise<{ n: number; faults: number }> {
  sequences ??= new Uint32Array(keys);
  const sent = sequences;
  let left = messages;
  const loop = async () => {
    while (left > 0) {
      left--;
      // A linear congruential generator: every run uses the same keys.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const key = state % keys;
      sent[key]++;
      await counted.of(`key-${key}`).tell.next(sent[key]);
    }
  };
  await Promise.all(Array.from({ length: TELLS_IN_FLIGHT }, loop));
  const total = { n: 0, faults: 0 };
  for (let key = 0; key < keys; key++) {
    const { n, faults } = await counted.of(`key-${key}`).sum();
    total.n += n;
    total.faults += faults;
  }
  return total;
}
