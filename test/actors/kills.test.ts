/**
 * Threads that are killed at random under calls by key, tells, streams and streamed inputs: every message is accounted for.
 * For longer than the suite has time for: SLUICE_KILLS_MS=60000 npx ava --timeout=30m test/actors/kills.test.ts
 * A run says its seed; the same threads are killed, after as many messages, with SLUICE_KILLS_SEED.
 */
import { randomInt } from 'node:crypto';
import { setEnvironmentData } from 'node:worker_threads';
import test from 'ava';
import { actorModule, startActorServer } from './actor-server.ts';
import type { Asked, Outcome } from './applications/caller.ts';
import { Ledger } from './ledger.ts';
import { RandomKills } from './random-kills.ts';

const LOAD_MS = Number(process.env.SLUICE_KILLS_MS ?? 0);
const SEED = Number(process.env.SLUICE_KILLS_SEED ?? randomInt(2 ** 32));
/** The load goes on until so many have died. */
const KILLS = 6;
const MOST_MESSAGES = 4_000_000;
const ITEMS = 100;
const LOADS = 6;

interface Sent {
  readonly message: number;
  readonly asked: Asked;
}

function batchOf(ledger: Ledger, load: number): Sent[] {
  const sent: Sent[] = [];
  const add = (make: (message: number) => Asked) => {
    const message = ledger.next();
    sent.push({ message, asked: make(message) });
  };
  for (let n = 0; n < 12; n++) {
    add((message) => ({ actor: 'keys', key: `${(load + n) % 20}`, method: 'handle', args: [message] }));
    add((message) => ({ actor: 'pool', method: 'handle', args: [message] }));
    // A key of its own, so that a report of its loss says which it was.
    add((message) => ({
      actor: 'keys',
      key: `told-${message}`,
      method: 'handle',
      args: [message],
      tell: true,
    }));
  }
  add((message) => ({
    actor: 'keys',
    key: `s-${load}`,
    method: 'count',
    args: [message, ITEMS],
    take: 2 * ITEMS,
  }));
  add((message) => ({ actor: 'pool', method: 'count', args: [message, ITEMS], take: 2 * ITEMS }));
  add((message) => ({ actor: 'pool', method: 'sum', args: [message], feed: { count: ITEMS } }));
  return sent;
}

for (const [title, directChannels] of [
  ['threads that are killed at random under load: every message is accounted for', { max: 0 }],
  [
    'threads that are killed at random under load over direct channels: every message is accounted for',
    { afterCalls: 1 },
  ],
] as const)
  test.serial(title, async (t) => {
    const replay = `to replay: SLUICE_KILLS_SEED=${SEED}`;
    t.log(replay);
    t.timeout(600_000 + 3 * LOAD_MS, replay);
    const ledger = new Ledger(MOST_MESSAGES);
    setEnvironmentData('sluice-ledger', ledger.memory as never);
    t.teardown(() => setEnvironmentData('sluice-ledger', undefined as never));
    const kept = { deadlineMs: 300_000, callerMessages: 10_000 };
    const started = await startActorServer(t, {
      actors: {
        keys: { pool: 'state', export: 'KeptByKey', kind: 'keyed', ...kept },
        pool: { pool: 'tasks', export: 'Kept', kind: 'pool', mailboxMessages: 10_000, ...kept },
      },
      module: actorModule('ledger'),
      callers: 1,
      state: 2,
      tasks: 2,
      pool: { restart: { intensity: 1_000_000 }, minUptimeMs: 0 },
      rest: { limits: { directChannels } },
    });
    const lost = () => started.log.lines.filter(({ msg }) => msg === 'a message to an actor was lost');
    const killing = new RandomKills(SEED, started);
    t.teardown(() => killing.stop());
    const outcomes: { readonly sent: Sent; readonly outcome: Outcome }[] = [];
    const beganMs = performance.now();
    const loads = Array.from({ length: LOADS }, async (_, load) => {
      while (killing.kills < KILLS || performance.now() - beganMs < LOAD_MS) {
        const batch = batchOf(ledger, load);
        killing.onMessages(ledger.messages);
        const answers = await started.ask(...batch.map(({ asked }) => asked));
        for (const [index, sent] of batch.entries()) outcomes.push({ sent, outcome: answers[index] ?? {} });
      }
    });
    await Promise.all(loads);
    killing.stop();
    await started.server.parts.actors?.drain();

    t.is(outcomes.length, ledger.messages, 'every call has settled');
    const lostKeys = new Set(lost().map(({ key }) => key));
    const counts = { complete: 0, died: 0, lostTells: 0 };
    for (const { sent, outcome } of outcomes) {
      const { message, asked } = sent;
      const begun = ledger.begun(message);
      const ended = ledger.ended(message);
      const what = () => `${JSON.stringify(asked)} ${JSON.stringify(outcome)} begun ${begun}, ended ${ended}`;
      if (begun > 1 || ended > begun) t.fail(`it has begun twice: ${what()}`);
      if (asked.tell === true) {
        if (outcome.error !== undefined) t.fail(`a tell was refused: ${what()}`);
        if (ended === 0 && !lostKeys.has(asked.key)) t.fail(`a tell is nowhere: ${what()}`);
        if (ended === 0) counts.lostTells++;
      } else if (outcome.error === undefined) {
        if (ended !== 1) t.fail(`an answer without its end: ${what()}`);
        counts.complete++;
      } else {
        const { code, begun: says } = outcome.error;
        if (code !== 'SLUICE_ACTOR_DIED' || says !== 'yes') t.fail(`another error: ${what()}`);
        counts.died++;
      }
      if (asked.take !== undefined) {
        const items = (outcome.value ?? []) as number[];
        if (items.some((item, index) => item !== index)) t.fail(`a gap: ${what()}`);
        if (outcome.error === undefined && items.length !== ITEMS) t.fail(`not all: ${what()}`);
      }
      if (asked.feed !== undefined && outcome.error === undefined)
        t.is(outcome.value, (ITEMS * (ITEMS - 1)) / 2);
    }
    t.is(started.server.parts.actors?.openMessages, 0);
    t.true(killing.kills >= KILLS && counts.complete > 0);
    const { calls = 0 } = started.server.parts.actors?.direct.tally ?? {};
    t.is(calls > 0, directChannels.max !== 0);
    t.log(
      `${calls} directly, ${killing.kills} kills, ${ledger.messages} messages, ${JSON.stringify(counts)}`,
    );
  });
