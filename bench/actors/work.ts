/** What every contender does for an ask, and the load that asks it. */

/** A small object, as most messages are. */
export interface Order {
  readonly id: number;
  readonly article: string;
  readonly amount: number;
}

export interface Receipt {
  readonly id: number;
  readonly total: number;
  readonly article: string;
}

export function handle({ id, article, amount }: Order): Receipt {
  return { id, total: amount * 3, article };
}

export const CHUNK_BYTES = 1_048_576;
/** Chunks on their way: half a ring holds them, so that none is kept beside it. */
export const STREAM_ITEMS = 6;

/** What a caller is told to do. */
export interface Run {
  readonly load: 'ask' | 'stream';
  readonly inFlight: number;
  readonly milliseconds: number;
}

/** Asks, `inFlight` of them at a time, for so long. How many were answered, each looked at. */
export async function asks(
  ask: (order: Order) => Promise<Receipt>,
  { inFlight, milliseconds }: Run,
): Promise<number> {
  const endMs = performance.now() + milliseconds;
  let asked = 0;
  let answered = 0;
  const loop = async () => {
    while (performance.now() < endMs) {
      const id = ++asked;
      const receipt = await ask({ id, article: 'a small thing', amount: 7 });
      if (receipt.id !== id || receipt.total !== 21) throw new Error('another answer than its own');
      answered++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return answered;
}

/** Reads chunks for so long. How many came. */
export async function chunks(read: AsyncIterable<Uint8Array>, milliseconds: number): Promise<number> {
  const endMs = performance.now() + milliseconds;
  let count = 0;
  for await (const chunk of read) {
    if (chunk.length !== CHUNK_BYTES) throw new Error(`a chunk of ${chunk.length} bytes`);
    count++;
    if (performance.now() >= endMs) break;
  }
  return count;
}
