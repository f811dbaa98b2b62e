/**
 * Measures how long threads compute without a break. Such a thread reports nothing, but the server's status
 * says since when its loop has not come around. So the status is read again and again while the load runs.
 */
import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 50;

interface Turning {
  readonly pools: readonly {
    readonly name: string;
    readonly threads: readonly { readonly isAsleep: boolean; readonly turnAgeMs: number }[];
  }[];
}

export class TurnWatch {
  readonly #longestMs = new Map<string, number>();
  #isOver = false;
  readonly #looking: Promise<void>;

  /** @param look rejects when the server has gone; then measuring ends */
  constructor(look: () => Promise<Turning>, everyMs = EVERY_MS) {
    this.#looking = this.#lookOn(look, everyMs);
  }

  async #lookOn(look: () => Promise<Turning>, everyMs: number): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#see(await look());
      } catch {
        // The next caller of the server gets the error.
        return;
      }
      await delay(everyMs);
    }
  }

  #see({ pools }: Turning): void {
    for (const { name, threads } of pools) {
      const ages = threads.filter(({ isAsleep }) => !isAsleep).map(({ turnAgeMs }) => turnAgeMs);
      this.#longestMs.set(name, Math.max(this.#longestMs.get(name) ?? 0, ...ages));
    }
  }

  /** By pool, in milliseconds: a lower bound. */
  async end(): Promise<ReadonlyMap<string, number>> {
    this.#isOver = true;
    await this.#looking;
    return this.#longestMs;
  }
}
