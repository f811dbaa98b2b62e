/** What is kept of the log, and what waits for a follower: both bounded, whatever is logged. */
import test from 'ava';
import { LogTail } from '../../runtime/logging/log-tail.ts';

const line = (number: number): string => `${JSON.stringify({ number, text: 'x'.repeat(80) })}\n`;

test('the newest lines are kept, within their bytes', (t) => {
  const bytes = line(1_000).length;
  const tail = new LogTail(10 * bytes);
  for (let number = 1_000; number < 9_000; number++) tail.push(line(number));
  t.deepEqual(
    tail.newest(100).map((text) => JSON.parse(text).number),
    Array.from({ length: 10 }, (_, index) => 8_990 + index),
  );
  t.is(tail.newest(3).length, 3);
  t.deepEqual(tail.newest(0), []);
  const none = new LogTail(0);
  none.push(line(1));
  t.deepEqual(none.newest(10), []);
});

test('a follower that does not read is told how many lines it has not been given', async (t) => {
  const tail = new LogTail(0);
  const follower = tail.follow();
  const lines = 10_000;
  for (let number = 0; number < lines; number++) tail.push(line(number));
  await follower.more();
  const given = follower.take().trimEnd().split('\n');
  t.true(given.join('\n').length <= 262_144 + 200);
  const last = JSON.parse(given.at(-1) ?? '');
  t.like(last, { level: 'warn', lines: lines - (given.length - 1) });
  t.is(follower.take(), '');
  tail.push(line(1));
  await follower.more();
  t.is(JSON.parse(follower.take()).number, 1);
  const waiting = follower.more();
  tail.leave(follower);
  await waiting;
  tail.push(line(2));
  t.is(follower.take(), '', 'it has left');
});
