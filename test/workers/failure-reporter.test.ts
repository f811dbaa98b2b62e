/** What reaches the log of an application that fails on every request. */
import test from 'ava';
import { FailureReporter } from '../../workers/thread/failure-reporter.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';

test('of the failures of one second 20 are reported, and the next report tells how many were not', (t) => {
  let nowMs = 5_000;
  const told: [message: string, suppressed: number][] = [];
  const reporter = new FailureReporter(
    ({ message }, _method, _path, suppressed) => told.push([message, suppressed]),
    undefined,
    () => nowMs,
  );
  const { request } = new MemoryExchange({ path: '/' });
  const fail = (n: number) => reporter.onFailure(new Error(`failure ${n}`), request, '');
  for (let n = 1; n <= 25; n++) fail(n);
  t.deepEqual(
    told.splice(0),
    Array.from({ length: 20 }, (_, n) => [`failure ${n + 1}`, 0]),
  );
  nowMs = 5_999;
  fail(26);
  t.deepEqual(told, []);
  nowMs = 6_000;
  fail(27);
  fail(28);
  t.deepEqual(told, [
    ['failure 27', 6],
    ['failure 28', 0],
  ]);
});

test('a report keeps the beginning of a long path and of a long method', (t) => {
  const told: string[][] = [];
  const reporter = new FailureReporter(
    (_failure, method, path, _suppressed, requestId) => told.push([method, path, requestId]),
    undefined,
  );
  const { request } = new MemoryExchange({ method: 'M'.repeat(300), path: `/${'p'.repeat(3_000)}` });
  reporter.onFailure(new Error('any'), request, 'id');
  const [method, path, requestId] = told[0] as [string, string, string];
  t.is(requestId, 'id');
  t.is(method.length, 256);
  t.regex(method, /^M+… \(300 characters\)$/);
  t.is(path.length, 2_048);
  t.regex(path, /^\/p+… \(3001 characters\)$/);
});
