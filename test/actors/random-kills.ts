/**
 * Ends threads of actors as the machine would: without a word. A seed says which, and when: after how many messages, and how many turns of
 * the reactor's event loop later. One thread of each pool always stays.
 */
import { setImmediate } from 'node:timers/promises';
import type { Thread } from '../../runtime/pools/thread.ts';
import { Random } from '../fuzz/random.ts';
import type { ActorServer } from './actor-server.ts';

/** Messages between two kills. A thread takes longer to start than most of them to be handled. */
const GAP = { least: 20, most: 800 };
/** Turns of the event loop, which the calls of other batches are somewhere in. */
const MOST_TURNS = 40;

export class RandomKills {
  kills = 0;
  readonly #random: Random;
  readonly #started: ActorServer;
  #dueAt: number;
  #state: 'waiting' | 'killing' | 'stopped' = 'waiting';

  constructor(seed: number, started: ActorServer) {
    this.#random = new Random(seed);
    this.#started = started;
    this.#dueAt = this.#gap();
  }

  #gap(): number {
    return this.#random.integer(GAP.least, GAP.most);
  }

  /** So many messages have been made so far. */
  onMessages(messages: number): void {
    if (this.#state !== 'waiting' || messages < this.#dueAt) return;
    this.#state = 'killing';
    void this.#kill(this.#random.integer(0, MOST_TURNS), messages);
  }

  async #kill(turns: number, messages: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    if (this.#state !== 'killing') return;
    this.#state = 'waiting';
    const victims = this.#victims();
    // It stays due until a pool has more than one thread again.
    if (victims.length === 0) return;
    this.#dueAt = messages + this.#gap();
    this.kills++;
    this.#random.pick(victims)();
  }

  /** Each ends a thread. */
  #victims(): (() => void)[] {
    const pools = this.#started.server.parts.pools.filter(({ name }) => name !== 'callers');
    return pools.flatMap((pool) => {
      const ready: Thread[] = [...pool.threads].filter(({ state }) => state === 'ready');
      return ready.length < 2 ? [] : ready.map((thread) => () => void pool.workerOf(thread)?.terminate());
    });
  }

  stop(): void {
    this.#state = 'stopped';
  }
}
