import test from 'ava';
import { JobSpan, Stall } from '../../runtime/pools/span.ts';

test('of a job that stalls again and again the first sixteen stalls are kept', (t) => {
  const span = new JobSpan('GET /', 'pool', 0);
  for (let times = 0; times < 20; times++) {
    span.stall(Stall.Response);
    span.resume(Stall.Response);
  }
  // Of each its kind, its start and its end.
  t.is(span.stalls.length, 3 * 16);
});
