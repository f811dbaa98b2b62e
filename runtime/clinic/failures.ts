/** Reports what went wrong during a load: a profile of requests that fail at once is seldom useful. */
import { Outcome } from '../exchange/outcomes.ts';
import type { ServerStatus } from '../status/status-types.ts';

/** Outcomes that are neither complete responses nor the client's choice. */
const FAILURES: readonly Outcome[] = [
  Outcome.Failed,
  Outcome.ResetByApplication,
  Outcome.Lost,
  Outcome.TimedOut,
  Outcome.TooLarge,
  Outcome.QueueFull,
  Outcome.WaitedTooLong,
  Outcome.NoThread,
];

export type FailureReading = Pick<ServerStatus, 'pools'>;

/**
 * One sentence for each pool with exchanges that failed between two readings.
 * @param only one pool; undefined: all
 */
export function failuresBetween(before: FailureReading, after: FailureReading, only?: string): string[] {
  return after.pools.flatMap(({ name, exchanges }) => {
    if (only !== undefined && name !== only) return [];
    const earlier = before.pools.find((pool) => pool.name === name)?.exchanges;
    const since = (outcome: Outcome | 'started') => exchanges[outcome] - (earlier?.[outcome] ?? 0);
    const counts = FAILURES.map((outcome) => [outcome, since(outcome)] as const).filter(
      ([, count]) => count > 0,
    );
    if (counts.length === 0) return [];
    const failed = counts.reduce((sum, [, count]) => sum + count, 0);
    const reasons = counts.map(([outcome, count]) => `${outcome} ${count}`).join(', ');
    return [
      `${name}: ${failed} of ${since('started')} exchanges failed (${reasons}); the report includes them`,
    ];
  });
}
