/** What a status says of actors and topics, held against what was done; and what diagnostics channels tell. */
import { randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import test from 'ava';
import type { ActorStatus } from '../../runtime/status/status-types.ts';
import { testActors } from '../../runtime/testing/actors.ts';
import { type CallRecord, type MethodRecord, traceContext } from '../../workers/actors/actors.ts';
import { Signals } from '../server/signals.ts';
import { type ActorServer, actors, startActorServer } from './actor-server.ts';

function statusOf({ server }: ActorServer, name: string): ActorStatus {
  const found = server.status().actors.find((actor) => actor.name === name);
  if (found === undefined) throw new Error(`no status of ${name}`);
  return found;
}

test('calls are counted by actor and thread, with what waits, runs and is refused', async (t) => {
  const started = await startActorServer(t, {
    actors: { ...actors, counter: { ...actors.counter, mailboxMessages: 3 } as never },
    state: 1,
  });
  const { ask } = started;
  const signals = new Signals(randomUUID());
  t.teardown(() => signals.close());
  await ask({ actor: 'counter', key: 'a', method: 'add', args: [1] });
  await ask({ actor: 'counter', key: 'b', method: 'fails' });
  t.like(statusOf(started, 'counter'), {
    kind: 'keyed',
    pool: 'state',
    instances: 2,
    mailboxes: 2,
    messages: 0,
    bytes: 0,
    deepestMailbox: 1,
    accepted: 2,
    refused: 0,
    total: { ...statusOf(started, 'counter').total, begun: 2, ended: 2, failed: 1 },
  });
  const begun = signals.until('go-begun');
  const hold = { actor: 'counter', key: 'a', method: 'hold', args: [signals.name, 'go'] };
  const add = { actor: 'counter', key: 'a', method: 'add', args: [1] };
  const all = ask(hold, add, add, add);
  await begun;
  const [thread] = statusOf(started, 'counter').threads;
  t.like(thread, { thread: 'state-1', given: 3, begun: 3, ended: 2 });
  t.like(statusOf(started, 'counter'), { messages: 3, deepestMailbox: 3, refused: 1 });
  signals.tell('go');
  const outcomes = await all;
  t.is(outcomes.filter(({ error }) => error?.code === 'SLUICE_ACTOR_OVERLOADED').length, 1);
  const after = statusOf(started, 'counter');
  t.like(after, { messages: 0, accepted: 5, refused: 1 });
  t.like(after.total, { begun: 5, ended: 5, failed: 1 });
  t.is(after.queueWait.count, 5);
  t.true(after.total.waitMs > 0, 'two waited in the thread behind the one that was held');
  t.true(after.total.runMs > 0);
  t.is(after.threads[0]?.given, 0);

  // What a thread has done counts when it is gone.
  const pool = started.server.parts.pools.find(({ name }) => name === 'state');
  const died = started.log.until('thread died');
  for (const each of pool?.threads ?? []) void pool?.workerOf(each)?.terminate();
  await died;
  t.like(statusOf(started, 'counter').total, { begun: 5, ended: 5, failed: 1 });
  await ask({ actor: 'counter', key: 'a', method: 'add', args: [1] });
  t.is(statusOf(started, 'counter').total.ended, 6);
  t.deepEqual(
    statusOf(started, 'counter').threads.map((each) => [each.thread, each.ended]),
    [['state-2', 1]],
  );
  t.like(started.server.status().topics, { topics: 0, published: 0 });
});

test('diagnostics channels tell of calls and methods, with their trace, and of both ends of each', async (t) => {
  const started = await testActors({ counter: Counter });
  t.teardown(() => started.close());
  const heard: { readonly name: string; readonly record: CallRecord | MethodRecord }[] = [];
  for (const name of ['call.start', 'call.end', 'method.start', 'method.end']) {
    const source = channel(`sluice.actor.${name}`);
    const hear = (record: unknown) => heard.push({ name, record: record as CallRecord });
    source.subscribe(hear);
    t.teardown(() => source.unsubscribe(hear));
  }
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const counter = started.actors.counter.of('a');
  t.is(await traceContext.run(trace, () => counter.add(2)), 2);
  t.deepEqual(
    heard.map(({ name }) => name),
    ['call.start', 'method.start', 'method.end', 'call.end'],
  );
  const [callStart, methodStart, methodEnd, callEnd] = heard.map(({ record }) => record);
  t.is(callStart, callEnd, 'start and end are one object');
  t.is(methodStart, methodEnd);
  for (const record of [callEnd, methodEnd]) {
    t.like(record, { actor: 'counter', key: 'a', method: 'add', kind: 'ask', trace });
  }
  t.true((callEnd as CallRecord).durationMs !== undefined);
  t.is((callEnd as CallRecord).error, undefined);
  t.true((methodEnd as MethodRecord).waitMs >= 0);
  t.is((methodEnd as MethodRecord).failed, false);

  heard.length = 0;
  await t.throwsAsync(counter.fails());
  await t.throwsAsync(counter.add((() => 1) as never), { code: 'SLUICE_MESSAGE_INVALID' });
  await counter.tell.add(1);
  for await (const _ of counter.count(2));
  await started.settled();
  t.deepEqual(
    heard.filter(({ name }) => name === 'call.end').map(({ record }) => [record.kind, nameOf(record)]),
    [
      ['ask', 'RangeError'],
      ['ask', 'ActorError'],
      ['tell', undefined],
      ['stream', undefined],
    ],
  );
  t.deepEqual(
    heard.filter(({ name }) => name === 'method.end').map(({ record }) => (record as MethodRecord).failed),
    [true, false, false],
  );
});

function nameOf(record: CallRecord | MethodRecord): string | undefined {
  return ((record as CallRecord).error as Error | undefined)?.name;
}

class Counter {
  #n = 0;
  readonly key: string;

  constructor(key: string, _context: object) {
    this.key = key;
  }

  add(by: number): number {
    this.#n += by;
    return this.#n;
  }

  fails(): never {
    throw new RangeError('as it should');
  }

  async *count(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) yield n;
  }
}
