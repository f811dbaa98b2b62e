/**
 * Limits how often each client may ask: one token bucket per client, which holds one second's worth. The number of
 * clients is bounded: the one that asked longest ago makes room.
 */

interface Bucket {
  readonly allowed: number;
  readonly atMs: number;
}

export class RequestRates {
  readonly #perSecond: number;
  readonly #maxClients: number;
  /** By client; the one that asked last is at the end. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param maxClients how many are remembered */
  constructor(perSecond: number, maxClients: number) {
    this.#perSecond = perSecond;
    this.#maxClients = maxClients;
  }

  /** Charges a request. @returns false: the client asks too often */
  take(client: string, nowMs: number): boolean {
    const allowed = this.#allowed(this.#buckets.get(client), nowMs);
    this.#buckets.delete(client);
    this.#buckets.set(client, { allowed: allowed < 1 ? allowed : allowed - 1, atMs: nowMs });
    if (this.#buckets.size > this.#maxClients) {
      const [oldest = ''] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    return allowed >= 1;
  }

  #allowed(known: Bucket | undefined, nowMs: number): number {
    if (known === undefined) return this.#perSecond;
    const came = (this.#perSecond * Math.max(0, nowMs - known.atMs)) / 1_000;
    return Math.min(this.#perSecond, known.allowed + came);
  }
}
