/**
 * The CPU-heavy part of a report, an actor of a pool: the distribution of primes in a range. It reports its
 * progress, and stops when its reader has left.
 */
import { setImmediate } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { type ActorContext, type Call, topic } from '../../workers/actors/actors.ts';

export interface Progress {
  /** Numbers examined. */
  readonly done: number;
  readonly primes: number;
  readonly largestGap: number;
  readonly thread: number;
}

/** How a part ended, for subscribers of the topic. */
export interface PartEnded {
  readonly job: string;
  readonly part: number;
  readonly how: 'done' | 'cancelled';
  readonly thread: number;
}

export const ENDED = 'report/ended';
/** Numbers between two checks whether the reader has left: some tens of milliseconds. */
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
        // Lets the thread's other work run, and lets the message that the reader has left arrive.
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

/** By trial division, because the work is the point here. */
function isPrime(n: number): boolean {
  if (n < 4) return n > 1;
  if (n % 2 === 0 || n % 3 === 0) return false;
  for (let d = 5; d * d <= n; d += 6) if (n % d === 0 || n % (d + 2) === 0) return false;
  return true;
}
