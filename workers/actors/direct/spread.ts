/**
 * Moves calls between the threads of a `pool` actor: calls that wait behind a computation go to an idle thread. The
 * reactor does the same for the calls that it gives.
 */
import type { MadeCall } from '../made-call.ts';
import type { Talk, Way } from './talk.ts';

export interface SpreadOwner {
  setTimer(callback: () => void, afterMs: number): object;
  /** No thread has room for a call that was taken back. */
  refused(call: MadeCall): void;
}

export class Spread {
  readonly #recallAfterMs: number;
  readonly #owner: SpreadOwner;
  /** Talks that had open calls at the last check. */
  readonly #talks = new Set<Talk>();
  #timer: object | null = null;

  constructor(recallAfterMs: number, owner: SpreadOwner) {
    this.#recallAfterMs = recallAfterMs;
    this.#owner = owner;
  }

  /** A call of the talk has been given. */
  watch(talk: Talk): void {
    if (!this.#talks.has(talk)) {
      this.#talks.add(talk);
      for (const way of talk.ways) way.lookedAt = way.channel.lastGiven;
    }
    this.#timer ??= this.#owner.setTimer(() => this.#look(), this.#recallAfterMs);
  }

  #look(): void {
    this.#timer = null;
    for (const talk of this.#talks) {
      if (talk.open === 0 || !talk.isSpread) this.#talks.delete(talk);
      else this.#even(talk);
    }
    if (this.#talks.size > 0) this.#timer = this.#owner.setTimer(() => this.#look(), this.#recallAfterMs);
  }

  /**
   * Calls that were given before the last check and have not begun go to threads without calls of the actor, if
   * there are any. Each such thread begins with the next call, as in the reactor (`Delivery.rebalance`).
   */
  #even(talk: Talk): void {
    const { ways, actor } = talk;
    const idle = ways.filter((way) => way.loadOf(actor.index) === 0);
    if (idle.length > 0 && idle.length < ways.length) {
      for (const [at, way] of ways.entries()) {
        if (idle.includes(way)) continue;
        const others = [...ways.slice(at + 1), ...ways.slice(0, at)].filter((other) => idle.includes(other));
        for (const call of way.channel.recallUpTo(way.lease, way.lookedAt)) this.#giveTo(others, call);
      }
    }
    for (const way of ways) way.lookedAt = way.channel.lastGiven;
  }

  #giveTo(ways: readonly Way[], call: MadeCall): void {
    const { channel, lease } = ways.reduce((least, way) =>
      way.lease.openMessages < least.lease.openMessages ? way : least,
    );
    if (!channel.give(call, lease, call.payload as Buffer)) this.#owner.refused(call);
  }
}
