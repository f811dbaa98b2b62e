/** What a publisher, or another subscriber, has entered with `AsyncLocalStorage.enterWith` no subscriber sees, though a turn brings messages for many. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const MESSAGES = 50;
const USERS = ['ann', 'ben', 'cid', 'dan'];

test('subscribers of one thread each stay in their own context', async (t) => {
  const application = fileURLToPath(new URL('applications/entering.ts', import.meta.url));
  const pool = { application, threads: { min: 1, max: 1 }, queue: { maxWaitMs: 600_000 } };
  const { origin, signals } = await startServer(t, { pools: { here: pool, there: pool }, topics: {} });
  const ask = async (path: string, user: string): Promise<string> =>
    (await fetch(`${origin}${path}`, { headers: { 'x-user': user, [SIGNALS_FIELD]: signals.name } })).text();
  const subscribed = USERS.flatMap((user) =>
    ['loop', 'next'].map(async (how) => ({
      user: `${user} by ${how}`,
      seen: JSON.parse(await ask(`/here/${how}/${MESSAGES}`, `${user} by ${how}`)) as string[],
    })),
  );
  await signals.until('ready', subscribed.length);
  await Promise.all(
    ['here', 'there'].map((where) => ask(`/${where}/publish/${MESSAGES}`, `a publisher ${where}`)),
  );
  for (const { user, seen } of await Promise.all(subscribed)) {
    const [before, ...then] = seen;
    t.is(before, 'nobody');
    t.true(then.includes(user));
    // Node's lines do not agree on whether a callback's context is there in the next.
    t.deepEqual(
      then.filter((each) => each !== user && each !== `a message of ${user}`),
      [],
    );
  }
  t.deepEqual(JSON.parse(await ask('/here/early', '')), ['the start']);
});
