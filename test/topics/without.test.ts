/** Topics where the configuration has none. */
import test from 'ava';
import { parseConfig } from '../../runtime/config/load.ts';
import { topic } from '../../workers/actors/actors.ts';
import { actors, startActorServer } from '../actors/actor-server.ts';
import { configInput, startServer } from '../server/harness.ts';
import { MEMBER } from './topic-server.ts';

/** So that a small ring takes a request's head. */
const SMALL_HEADS = { http1: { maxHeaderBytes: 4_096 }, http2: { maxFieldListBytes: 4_096 } };

test('without topics and actors in the configuration no thread has a channel, and topics say what is missing', async (t) => {
  const error = t.throws(() => topic('news').subscribe());
  t.like(error, { code: 'SLUICE_TOPIC_UNAVAILABLE' });
  t.regex(String(error?.message), /"topics": \{\}/);
  await t.throwsAsync(topic('news').publish(1), { code: 'SLUICE_TOPIC_UNAVAILABLE' });
  // The lifespan hook of the application subscribes.
  const pools = { a: { application: MEMBER, threads: { min: 1, max: 1 } } };
  const starting = startServer(t, { pools });
  await t.throwsAsync(starting, { message: /expected a thread of a server whose configuration has topics/ });
});

test('actors bring topics along, within what their rings take', async (t) => {
  const { server } = await startActorServer(t, { actors });
  t.is(server.config.topics?.maxMessageBytes, 65_536);
  const small = { application: MEMBER, module: MEMBER, ringBytes: 65_536 } as const;
  const config = parseConfig(
    JSON.stringify(
      configInput({
        ...SMALL_HEADS,
        pools: { a: small },
        actors: { one: { pool: 'a', export: 'One', kind: 'single', maxMessageBytes: 1_024 } },
      }),
    ),
    'test.config.json',
  );
  t.true((config.topics?.maxMessageBytes ?? 0) > 30_000);
  t.true((config.topics?.maxMessageBytes ?? 0) < 32_768);
});

test('messages that a ring, or what keeps them, cannot take are refused by the configuration', (t) => {
  const pools = { a: { application: MEMBER, ringBytes: 65_536 } } as const;
  const parse = (topics: object) => () =>
    parseConfig(JSON.stringify(configInput({ ...SMALL_HEADS, pools, topics })), 'test.config.json');
  t.throws(parse({}), { message: /topics\.maxMessageBytes .*: expected at most \d+, so that half a ring/ });
  t.throws(parse({ maxMessageBytes: 20_000, publishBytes: 10_000 }), {
    message: /expected at most publishBytes \(10000\)/,
  });
});
