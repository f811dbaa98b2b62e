/** What a configuration may say of actors, together with pools, rings and routes. */
import test from 'ava';
import { ConfigError } from '../../runtime/config/errors.ts';
import { parseConfig } from '../../runtime/config/load.ts';

const state = { module: './state.ts', threads: { min: 2, max: 2 } };
const counter = { pool: 'state', export: 'Counter', kind: 'keyed' };
const web = { application: './app.ts' };

function parse(input: object) {
  const routes = [{ path: '/*', pool: 'web' }];
  return parseConfig(JSON.stringify({ pools: { web, state }, routes, ...input }), '/srv/app/config.json');
}

/** Where and what, of each problem. */
function problemsOf(input: object): string[] {
  try {
    parse(input);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ where, expected }) => `${where}: ${expected}`);
  }
  return [];
}

test('an actor has the defaults of its kind, and its pool the paths of its modules', (t) => {
  const both = { application: './app.ts', module: '../actors.ts' };
  const config = parse({
    pools: { web, state, both },
    actors: { counter, cache: { pool: 'both', export: 'Cache', kind: 'pool' } },
  });
  t.like(config.actors.counter, {
    name: 'counter',
    kind: 'keyed',
    concurrency: 1,
    mailboxMessages: 256,
    mailboxBytes: 1_048_576,
    idleMs: 60_000,
    deadlineMs: 30_000,
  });
  t.like(config.actors.cache, { name: 'cache', concurrency: 16 });
  t.like(config.pools.state, {
    application: '/srv/app/state.ts',
    module: '/srv/app/state.ts',
    hasOnlyActors: true,
  });
  t.like(config.pools.both, { application: '/srv/app/app.ts', module: '/srv/actors.ts' });
  t.is(config.pools.both?.hasOnlyActors, undefined);
  t.is(config.pools.web?.module, undefined);
});

test('a pool has an application or actors, and no route leads to one without an application', (t) => {
  t.deepEqual(problemsOf({ pools: { web, state, nothing: {} } }), [
    '$.pools.nothing.application: the path of a module',
  ]);
  t.deepEqual(problemsOf({ routes: [{ path: '/*', pool: 'state' }] }), [
    '$.routes[0].pool: a pool with an application',
  ]);
});

test('an actor lives in a pool that there is, which has a module', (t) => {
  t.deepEqual(problemsOf({ actors: { counter: { ...counter, pool: 'stat' } } }), [
    '$.actors.counter.pool: a pool (web, state)',
  ]);
  t.deepEqual(problemsOf({ actors: { counter: { ...counter, pool: 'web' } } }), [
    '$.actors.counter.pool: a pool with a module',
  ]);
});

test('two actors of one name are a key that comes twice', (t) => {
  const one = JSON.stringify(counter);
  const text = `{"pools": ${JSON.stringify({ web, state })}, "routes": [{"path": "/*", "pool": "web"}], "actors": {"counter": ${one}, "counter": ${one}}}`;
  const error = t.throws(() => parseConfig(text, 'config.json'), { instanceOf: ConfigError });
  t.is(error?.problems[0]?.code, 'SLUICE_CONFIG_DUPLICATE_KEY');
});

test('its largest message fits its mailbox, what a caller may send, and every ring', (t) => {
  const actor = (more: object) => ({ actors: { counter: { ...counter, ...more } } });
  t.deepEqual(problemsOf(actor({ maxMessageBytes: 2_000_000 })), [
    '$.actors.counter.maxMessageBytes: at most mailboxBytes (1048576)',
  ]);
  const rooms = { mailboxBytes: 4_194_304, maxMessageBytes: 2_000_000 };
  t.regex(
    problemsOf(actor(rooms))[0] ?? '',
    /^\$\.actors\.counter\.maxMessageBytes: at most \d+, so that half a ring holds a message$/,
  );
  const wide = { ringBytes: 4_194_304 };
  t.deepEqual(
    problemsOf({ ...actor(rooms), pools: { web: { ...web, ...wide }, state: { ...state, ...wide } } }),
    [],
  );
});

test('long keys leave less of a ring for messages', (t) => {
  const most = (maxKeyChars: number) => {
    const actor = { ...counter, maxMessageBytes: 1_048_576, mailboxBytes: 2_000_000, maxKeyChars };
    const [problem = ''] = problemsOf({ actors: { counter: actor } });
    return Number(/at most (\d+), so that half a ring/.exec(problem)?.[1]);
  };
  t.true(most(512) > 1_000_000);
  t.is(most(512) - most(8_192), 3 * (8_192 - 512));
});

test('an actor without an export is a pool actor, of the functions of its module', (t) => {
  const config = parse({ actors: { tasks: { pool: 'state', kind: 'pool' } } });
  t.like(config.actors.tasks, { export: '', kind: 'pool', hardAbortGraceMs: 5_000 });
  for (const kind of ['keyed', 'single']) {
    t.deepEqual(problemsOf({ actors: { tasks: { pool: 'state', kind } } }), [
      `$.actors.tasks.export: the name of an export, of a ${kind} actor`,
    ]);
  }
});

test('only a pool actor handles several messages at a time', (t) => {
  t.deepEqual(problemsOf({ actors: { counter: { ...counter, concurrency: 2 } } }), [
    '$.actors.counter.concurrency: 1 of a keyed actor',
  ]);
});
