/** What must not be waited for: AVA is run on it by deadlines.test.ts. Each keeps its process alive, as a lost answer does. */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';

const never = (): Promise<never> => new Promise(() => undefined);

test.before(() => {
  createServer().listen(0, '127.0.0.1');
});
test.after.always('a hook that hangs', never);

test('a test that hangs', never);
test.serial('a test that hangs before the others', never);
test('a test whose teardown hangs', (t) => {
  t.teardown(never);
  t.pass();
});
test('a test that takes longer and says so', async (t) => {
  t.timeout(60_000);
  await delay(1_000);
  t.pass();
});
test('a test that gives itself less', async (t) => {
  t.timeout(50, 'it has no time');
  await never();
});
test('a test that fails', (t) => t.is(1, 2));
test('a test that passes', (t) => t.pass());
