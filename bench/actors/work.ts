/** What every contender does for an ask, and the load under which it does it. */

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
/** Chunks in flight: half a ring holds them, so that none has to wait outside it. */
export const STREAM_ITEMS = 6;

/** What a caller must do. */
export interface Run {
  readonly load: 'ask' | 'stream';
  readonly inFlight: number;
  readonly milliseconds: number;
}

/**
 * Makes asks for this long, `inFlight` of them at a time, and checks each reply. Returns the number of
 * replies.
 */
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

/** Reads chunks for this long. Returns their number. */
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
