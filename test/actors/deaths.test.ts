/** Threads that end under their actors: what had begun, what had not, and what lives where afterwards. Real threads, ended for real. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actors, startActorServer } from './actor-server.ts';
import { SAVED } from './applications/state.ts';

function channel(t: ExecutionContext): Signals {
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  return signals;
}

/** Ends a thread, as the machine's memory or a fault of native code would: without a word. */
function kill({ server }: ActorServer, name: string): void {
  for (const pool of server.parts.pools) {
    for (const thread of pool.threads) {
      if (thread.name === name) void pool.workerOf(thread)?.terminate();
    }
  }
}

const roomy = {
  ...actors,
  tasks: { pool: 'tasks', export: 'Tasks', kind: 'pool', concurrency: 10 } as const,
};

test('of 64 asks of a thread that ends, the 10 begun ones reject and 54 complete elsewhere, none twice', async (t) => {
  const started = await startActorServer(t, { actors: roomy, tasks: 1 });
  const signals = channel(t);
  const begun = signals.until('begun', 10);
  const hold = { actor: 'tasks', method: 'hold', args: [signals.name, 'go'] };
  const all = started.ask(...Array.from({ length: 64 }, () => hold));
  await begun;
  const replaced = started.log.until('thread died');
  kill(started, 'tasks-1');
  await replaced;
  // Those that had not begun begin in the new thread, ten at a time, and each tells it.
  for (let round = 2; round <= 7; round++) {
    await signals.until('begun', Math.min(10 * round, 64));
    signals.tell('go');
  }
  const outcomes = await all;
  const died = outcomes.filter(({ error }) => error !== undefined);
  t.is(died.length, 10);
  for (const { error } of died) {
    t.like(error, { code: 'SLUICE_ACTOR_DIED', begun: 'yes', by: 'actor', retryable: false });
  }
  const completed = outcomes.filter(({ value }) => value === 'tasks-2');
  t.is(completed.length, 54);
  t.is(signals.heard('begun'), 64, 'none has begun twice');
  t.is(started.server.parts.actors?.openMessages, 0);
});

test('a key whose thread dies gets a new instance elsewhere, for what had not begun and what comes', async (t) => {
  const started = await startActorServer(t);
  const { ask, log } = started;
  const signals = channel(t);
  await ask({ actor: 'counter', key: 'k', method: 'add', args: [100] });
  const [lives] = await ask({ actor: 'counter', key: 'k', method: 'where' });
  const thread = lives?.value as string;
  const begun = signals.until('go-begun');
  const add = { actor: 'counter', key: 'k', method: 'add', args: [1] };
  const all = ask({ actor: 'counter', key: 'k', method: 'hold', args: [signals.name, 'go'] }, add, add, add);
  await begun;
  const died = log.until('thread died');
  kill(started, thread);
  await died;
  const [held, ...added] = await all;
  t.like(held?.error, { code: 'SLUICE_ACTOR_DIED', begun: 'yes' });
  t.deepEqual(
    added.map(({ value }) => value),
    [1, 2, 3],
    'the new instance begins anew, and in order',
  );
  const [after] = await ask({ actor: 'counter', key: 'k', method: 'where' });
  t.not(after?.value, thread);
});

test('calls for an actor without a thread wait for one within their deadline, and no longer', async (t) => {
  const started = await startActorServer(t, { state: 1 });
  const { ask, log } = started;
  await ask({ actor: 'counter', key: 'k', method: 'add', args: [1] });
  const died = log.until('thread died');
  kill(started, 'state-1');
  await died;
  const [waited] = await ask({ actor: 'counter', key: 'k', method: 'add', args: [1] });
  t.is(waited?.value, 1);
});

test("a caller's death ends what it has asked, and what it has told is handled", async (t) => {
  const started = await startActorServer(t, { callers: 2 });
  const { ask, log } = started;
  const signals = channel(t);
  const holding = signals.until('go-begun');
  const waiting = signals.until('waiting');
  const aborted = signals.until('aborted');
  const lost = ask(
    { actor: 'counter', key: 'told', method: 'hold', args: [signals.name, 'go'], tell: true },
    { actor: 'counter', key: 'told', method: 'add', args: [7], tell: true },
    { actor: 'tasks', method: 'untilAborted', args: [signals.name] },
  );
  lost.catch(() => undefined);
  await Promise.all([holding, waiting]);
  const died = log.until('thread died');
  // One of the two has the request.
  for (const pool of started.server.parts.pools) {
    if (pool.name !== 'callers') continue;
    for (const thread of pool.threads) if (thread.outstanding > 0) kill(started, thread.name);
  }
  await died;
  await aborted;
  await t.throwsAsync(lost);
  // What it had told is in the mailbox still.
  signals.tell('go');
  const [added] = await ask({ actor: 'counter', key: 'told', method: 'add', args: [1] });
  t.is(added?.value, 8);
});

test('a thread that another replaces: its keys move with their order, no gap, and no two instances', async (t) => {
  t.teardown(() => rm(SAVED, { recursive: true, force: true }));
  const { ask, server } = await startActorServer(t, { state: 1 });
  const pool = server.parts.pools.find(({ name }) => name === 'state');
  const keys = ['a', 'b', 'c'];
  const loads = keys.map(async (key) => {
    const threads = new Set<string>();
    let total = 0;
    for (let round = 0; round < 40; round++) {
      const add = { actor: 'counter', key, method: 'addLasting', args: [1] };
      const peek = { actor: 'counter', key, method: 'where' };
      const outcomes = await ask(add, add, add, peek);
      for (const { value } of outcomes.slice(0, 3)) t.is(value as number, ++total, key);
      threads.add(outcomes[3]?.value as string);
    }
    return threads;
  });
  for (const name of ['state-1', 'state-2']) {
    const thread = [...(pool?.threads ?? [])].find((each) => each.name === name);
    if (thread === undefined) throw new Error(`no thread ${name}`);
    await pool?.renewal.replaceThread(thread);
  }
  for (const threads of await Promise.all(loads)) t.true(threads.size >= 1);
  const [now] = await ask({ actor: 'counter', key: 'a', method: 'where' });
  t.is(now?.value, 'state-3');
});

test('a server that stops handles what its mailboxes have accepted', async (t) => {
  const { ask, server } = await startActorServer(t);
  const signals = channel(t);
  const begun = signals.until('go-begun');
  const handled = signals.until('handled', 20);
  const tell = (method: string, ...args: unknown[]) => ({
    actor: 'counter',
    key: 'k',
    method,
    args,
    tell: true,
  });
  await ask(tell('hold', signals.name, 'go'));
  await begun;
  await ask(...Array.from({ length: 20 }, () => tell('handle', signals.name)));
  const drained = server.drain();
  signals.tell('go');
  await handled;
  await drained;
  t.is(server.parts.actors?.openMessages, 0);
});

test('what a server that stops has not handled by its deadline is reported', async (t) => {
  const { ask, server, log } = await startActorServer(t, { rest: { drainTimeoutMs: 300 } });
  const signals = channel(t);
  const begun = signals.until('go-begun');
  const tell = { actor: 'counter', key: 'k', method: 'hold', args: [signals.name, 'go'], tell: true };
  await ask(tell, tell, tell);
  await begun;
  await server.drain();
  await log.until('a message to an actor was lost');
  t.is(log.count('a message to an actor was lost'), 3);
});
