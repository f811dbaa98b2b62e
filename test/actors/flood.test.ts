/** More tells than anybody takes. */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { ActorDirectory } from '../../runtime/actors/directory.ts';
import type { DirectoryActor } from '../../runtime/actors/mailbox.ts';
import { Signals } from '../server/signals.ts';
import { startActorServer } from './actor-server.ts';

const MILLION = 1_000_000;
/** The calls alone, if all of them were kept, would take several times as much. */
const MOST_HEAP_BYTES = 134_217_728;

test('a million tells that nobody awaits, to an actor that is blocked: memory stays within the configuration, the excess is refused, and a neighbour answers meanwhile', async (t) => {
  t.timeout(240_000);
  const { ask, server, log } = await startActorServer(t, {
    callers: 2,
    tasks: 1,
    // The blocked thread is to stay, however long the flood takes.
    pool: { computeTimeoutMs: 0 },
  });
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  const blocked = signals.until('on-begun');
  const computing = ask({ actor: 'tasks', method: 'block', args: [signals.name, 'on'] });
  await blocked;
  const args = ['x'.repeat(100)];
  let isOver = false;
  const flooded = ask({
    actor: 'tasks',
    method: 'echo',
    args,
    tell: true,
    flood: MILLION,
    weighed: true,
  }).finally(() => {
    isOver = true;
  });
  const directory = server.parts.actors as ActorDirectory;
  const [tasks, counter] = ['tasks', 'counter'].map((name) =>
    directory.actors.find(({ settings }) => settings.name === name),
  ) as [DirectoryActor, DirectoryActor];
  const { mailboxMessages, mailboxBytes, callerMessages } = tasks.settings;
  let asked = 0;
  while (!isOver) {
    t.deepEqual(await ask({ actor: 'counter', key: 'near', method: 'add', args: [1] }), [{ value: ++asked }]);
    const { messages, bytes } = tasks;
    if (messages > mailboxMessages || bytes > mailboxBytes) {
      t.fail(`${messages} messages, ${bytes} bytes in the mailbox`);
    }
    // All that the reactor keeps for threads, besides what lies in mailboxes.
    for (const { name, calls, unsent, backlogBytes } of directory.links) {
      if (calls.size + unsent.messages > 2 * callerMessages || unsent.bytes > backlogBytes) {
        t.fail(`${calls.size} calls, ${unsent.messages} messages, ${unsent.bytes} bytes for ${name}`);
      }
    }
  }
  const [last] = await flooded;
  t.like(last?.error, { code: 'SLUICE_ACTOR_OVERLOADED', begun: 'no', retryable: true });
  t.true((last?.value as number) < MOST_HEAP_BYTES, `the heap has grown by ${last?.value} bytes`);
  t.true(asked > 10, `a neighbour has answered ${asked} times meanwhile`);
  // What the reactor has counted of both.
  t.true(tasks.tally.refused > 10 * mailboxMessages, `${tasks.tally.refused} refused`);
  t.is(tasks.tally.deepest, mailboxMessages, 'and its mailbox has never held more');
  t.is(tasks.tally.lostTells, 0);
  const near = server.status().actors.find(({ name }) => name === 'counter');
  t.like(near?.total, { begun: asked, ended: asked, failed: 0 });
  t.is(counter.tally.refused, 0);
  signals.tell('on');
  await computing;
  t.deepEqual(await ask({ actor: 'tasks', method: 'echo', args: [1] }), [{ value: 1 }]);
  t.is(log.count('thread died'), 0, 'no rejection was left unhandled');
});
