/**
 * Runs cases of a target until the time is up. A case's seed is the run's seed plus the case's number, so one
 * seed replays one case.
 */

import { openHpack } from './hpack.ts';
import { openDifferential } from './http1-differential.ts';
import { openHttp1Engine } from './http1-engine.ts';
import { openHttp1 } from './http1-live.ts';
import { openEngine } from './http2-engine.ts';
import { openHttp2 } from './http2-live.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';
import { replayOf, type Watchdog } from './watchdog.ts';
import { openWire } from './wire.ts';

/** By name. */
export const targets = {
  engine: openEngine,
  hpack: openHpack,
  wire: openWire,
  connection: openHttp2,
  http1: openHttp1,
  differential: openDifferential,
  'http1-engine': openHttp1Engine,
} satisfies { readonly [name: string]: () => Promise<Target> };
export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as TargetName[];

export interface Limits {
  readonly seed: number;
  readonly seconds: number;
  /** The maximum number of cases. */
  readonly cases: number;
}

/** A failed case. `cause` is the error that it threw. */
export class FailedCase extends Error {
  override readonly name = 'FailedCase';

  constructor(name: TargetName, seed: number, cause: unknown) {
    super(
      `${name}: ${cause instanceof Error ? cause.stack : String(cause)}\nreplay: ${replayOf(name, seed)}`,
      { cause },
    );
  }
}

/** @returns the number of cases that ran. @throws FailedCase for the first that fails. */
export async function fuzz(
  name: TargetName,
  { seed, seconds, cases }: Limits,
  watchdog: Watchdog,
): Promise<number> {
  // A start or an end that hangs counts as a hang, too.
  watchdog.begin(name, seed);
  const target = await targets[name]();
  const deadline = performance.now() + 1000 * seconds;
  let count = 0;
  try {
    for (; count < cases && performance.now() < deadline; count++) {
      const caseSeed = (seed + count) >>> 0;
      watchdog.begin(name, caseSeed);
      try {
        // A promise for every case of the engine would cost more than the case.
        const running = target.run(new Random(caseSeed));
        if (running !== undefined) await running;
      } catch (cause) {
        throw new FailedCase(name, caseSeed, cause);
      }
    }
  } finally {
    watchdog.begin(name, (seed + count) >>> 0);
    await target.close();
    watchdog.end();
  }
  return count;
}
