/** All calls of this thread to one instance, or to the instances of a `pool` actor. */
import type { CalledActor, MadeCall } from '../made-call.ts';
import type { DirectCaller } from './direct-caller.ts';
import type { Lease } from './lease.ts';

/** A conversation that is open, and the channel that it goes over. */
export class Way {
  readonly lease: Lease;
  readonly channel: DirectCaller;
  /** The last call that had been given at the last check for waiting calls. */
  lookedAt: number;

  constructor(lease: Lease, channel: DirectCaller) {
    this.lease = lease;
    this.channel = channel;
    this.lookedAt = channel.lastGiven;
  }

  /**
   * Calls of the actor that its thread has, as far as this thread knows: its own, or those that run, whoever has made them. The thread
   * counts in shared memory, so this may be a moment old.
   */
  loadOf(actor: number): number {
    return Math.max(this.lease.openMessages, this.channel.runningOf(actor));
  }
}

export class Talk {
  readonly actor: CalledActor;
  readonly key: string;
  /** Calls that may go directly and have not settled. */
  open = 0;
  /** Calls since the last one that could not go directly. */
  calls = 0;
  after: number;
  /** While it joins: the request to join. */
  join: MadeCall | null = null;
  readonly held: MadeCall[] = [];
  /** Conversations that have been granted while others of the same `join` are still to come. */
  arriving: Way[] = [];
  /** While it is direct: one conversation, or one for each thread of a `pool` actor. */
  ways: Way[] = [];

  constructor(actor: CalledActor, key: string, after: number) {
    this.actor = actor;
    this.key = key;
    this.after = after;
  }

  /**
   * It can choose among threads. Its calls then run in no order, so single calls may go through the reactor while
   * the others go directly.
   */
  get isSpread(): boolean {
    return this.ways.length > 1;
  }

  /** Null: it is not direct. */
  get leastLoaded(): Way | null {
    const { ways, actor } = this;
    let least = ways[0] ?? null;
    if (least === null || ways.length === 1) return least;
    let leastLoad = least.loadOf(actor.index);
    for (let at = 1; at < ways.length && leastLoad > 0; at++) {
      const way = ways[at] as Way;
      const load = way.loadOf(actor.index);
      if (load >= leastLoad) continue;
      least = way;
      leastLoad = load;
    }
    return least;
  }

  /** Calls since it became direct. */
  get made(): number {
    return this.ways.reduce((sum, { lease }) => sum + lease.made, 0);
  }
}
