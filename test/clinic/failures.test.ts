/** What the commands report about a load whose exchanges failed. */
import test from 'ava';
import { type FailureReading, failuresBetween } from '../../runtime/clinic/failures.ts';
import { OutcomeCounters } from '../../runtime/exchange/outcomes.ts';

function reading(pools: Readonly<Record<string, Partial<OutcomeCounters>>>): FailureReading {
  return {
    pools: Object.entries(pools).map(([name, counts]) => ({
      name,
      exchanges: Object.assign(new OutcomeCounters(), counts),
    })),
  } as unknown as FailureReading;
}

test('failures since the first reading are reported by pool, with their reasons', (t) => {
  const before = reading({ app: { started: 10, failed: 3 }, other: { started: 5 } });
  const after = reading({
    app: { started: 110, complete: 50, failed: 43, queueFull: 7, resetByPeer: 9 },
    other: { started: 15, complete: 10, resetByPeer: 5 },
    added: { started: 2, lost: 2 },
  });
  t.deepEqual(failuresBetween(before, after), [
    'app: 47 of 100 exchanges failed (failed 40, queueFull 7); the report includes them',
    'added: 2 of 2 exchanges failed (lost 2); the report includes them',
  ]);
  t.deepEqual(failuresBetween(before, after, 'other'), []);
});
