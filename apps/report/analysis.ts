/**
 * The CPU-heavy part of a report, an actor of a pool: how primes lie in a range. It tells how far it is, and stops where it is when
 * nobody reads on.
 */
import { setImmediate } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { type ActorContext, type Call, topic } from '../../workers/actors/actors.ts';

export interface Progress {
  /** Numbers looked at. */
  readonly done: number;
  readonly primes: number;
  readonly largestGap: number;
  readonly thread: number;
}

/** How a part ended, for whoever wants to know. */
export interface PartEnded {
  readonly job: string;
  readonly part: number;
  readonly how: 'done' | 'cancelled';
  readonly thread: number;
}

export const ENDED = 'report/ended';
/** Numbers between two looks at whether anybody still wants to know: some tens of milliseconds. */
const SLICE = 20_000;

export class Analysis {
  // biome-ignore lint/complexity/noUselessConstructor: what an actor is given
  constructor(_context: ActorContext) {}

  async *primes(
    job: string,
    part: number,
    from: number,
    to: number,
    call: Call,
  ): AsyncGenerator<Progress, void> {
    let how: PartEnded['how'] = 'cancelled';
    let primes = 0;
    let largestGap = 0;
    let last = 0;
    try {
      for (let start = from; start < to; start += SLICE) {
        // The thread's other work, and the news that nobody waits any more, come in between.
        await setImmediate();
        if (call.signal.aborted) return;
        const end = Math.min(to, start + SLICE);
        for (let n = start; n < end; n++) {
          if (!isPrime(n)) continue;
          primes++;
          if (last > 0) largestGap = Math.max(largestGap, n - last);
          last = n;
        }
        yield { done: end - from, primes, largestGap, thread: threadId };
      }
      how = 'done';
    } finally {
      void topic<PartEnded>(ENDED).publish({ job, part, how, thread: threadId });
    }
  }
}

/** By trial: the work is what matters here. */
function isPrime(n: number): boolean {
  if (n < 4) return n > 1;
  if (n % 2 === 0 || n % 3 === 0) return false;
  for (let d = 5; d * d <= n; d += 6) if (n % d === 0 || n % (d + 2) === 0) return false;
  return true;
}
