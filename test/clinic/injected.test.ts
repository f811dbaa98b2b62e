/**
 * What clinic injects into a process, as its four tools and 0x do it, and what of that is passed to threads.
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { clinicToolOf, optionsWithoutClinic, withoutClinic } from '../../runtime/clinic/injected.ts';
import { flagsForThreads, node } from '../../runtime/server/thread-flags.ts';

const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url));

/** Recorded arguments and environments: each tool started a program that prints both, with --on-port. */
const started = {
  doctor: {
    execArgv: [],
    environment: {
      NODE_PATH: `${modules}@clinic/doctor/injects:/home/user/lib`,
      NODE_OPTIONS:
        '-r no-cluster.js -r sampler.js --trace-events-enabled --trace-event-categories v8 -r detect-port.js --cpu-prof',
    },
  },
  bubbleprof: {
    execArgv: [],
    environment: {
      NODE_PATH: `${modules}@clinic/bubbleprof/injects`,
      NODE_OPTIONS:
        '-r no-cluster.js -r logger.js --trace-events-enabled --trace-event-categories node.async_hooks -r detect-port.js',
    },
  },
  flame: {
    execArgv: [
      ...['--prof', '--logfile=./%p-v8.log', '--print-opt-source'],
      ...['-r', `${modules}0x/lib/preload/no-cluster`, '-r', `${modules}0x/lib/preload/redir-stdout`],
      ...['-r', `${modules}0x/lib/preload/soft-exit`, '-r', `${modules}0x/lib/preload/detect-port.js`],
    ],
    environment: {},
  },
  heapprofiler: {
    execArgv: [],
    environment: { NODE_OPTIONS: `-r "${modules}@clinic/heap-profiler/src/injects/ipc.js"` },
  },
} as const;

for (const tool of ['doctor', 'bubbleprof', 'flame', 'heapprofiler'] as const) {
  test(`${tool} is recognized, and what it injects is not passed to threads`, (t) => {
    const flags = started[tool];
    t.is(clinicToolOf(flags), tool);
    const { env, execArgv = [] } = flagsForThreads(flags, node);
    t.is(clinicToolOf({ execArgv, environment: env }), null);
    t.false([...execArgv, env.NODE_OPTIONS ?? ''].some((flag) => /@clinic|0x|-r\b/.test(flag)));
  });
}

test("what the user says beside clinic's flags stays, in the user's own words", (t) => {
  const { NODE_PATH } = started.doctor.environment;
  const own = `--import "./my hooks.mjs"  -r ./sampler.js --max-old-space-size=900 --env-file=.env`;
  const injected = '-r no-cluster.js -r sampler.js --trace-events-enabled -r detect-port.js';
  t.is(optionsWithoutClinic(`${injected} ${own}`, NODE_PATH), `--trace-events-enabled ${own}`);
  t.is(optionsWithoutClinic(`${own} -r sampler.js`, NODE_PATH), `${own} `);
  const execArgv = ['--import', './hooks.mjs', ...started.flame.execArgv, '-r', './own.cjs', '--cpu-prof'];
  t.deepEqual(withoutClinic(execArgv, undefined), [
    ...['--import', './hooks.mjs', '--prof', '--logfile=./%p-v8.log', '--print-opt-source'],
    ...['-r', './own.cjs', '--cpu-prof'],
  ]);
});

test('names that clinic uses too belong to the user if clinic has no folder in NODE_PATH', (t) => {
  const options = '-r sampler.js -r logger.js -r detect-port.js -r no-cluster.js';
  for (const nodePath of [undefined, '', '/home/user/injects', `${modules}@clinic/doctor/injects/more`]) {
    t.is(clinicToolOf({ execArgv: [], environment: { NODE_OPTIONS: options, NODE_PATH: nodePath } }), null);
    t.is(optionsWithoutClinic(options, nodePath), options);
  }
  // bubbleprof has no sampler.
  t.is(
    optionsWithoutClinic('-r sampler.js -r logger.js', started.bubbleprof.environment.NODE_PATH),
    '-r sampler.js ',
  );
});

test('paths with spaces, quotes and backslashes are read as Node reads them', (t) => {
  const path = String.raw`C:\\a folder\\node_modules\\@clinic\\heap-profiler\\src\\injects\\ipc.js`;
  const options = String.raw`-r "${path}" --require "./a \"b\" c.js"`;
  t.is(optionsWithoutClinic(options, undefined), String.raw`--require "./a \"b\" c.js"`);
  t.is(clinicToolOf({ execArgv: [], environment: { NODE_OPTIONS: options } }), 'heapprofiler');
});

test('without clinic nothing is passed to threads explicitly: they inherit as always', (t) => {
  const environment = { NODE_OPTIONS: '-r ./own.js', PATH: '/bin' };
  const execArgv = ['--max-old-space-size=4096', '-r', './own.js'];
  const unasked = () => t.fail() as never;
  const judge = { refusedArguments: unasked, refusedOption: unasked };
  t.deepEqual(flagsForThreads({ execArgv, environment }, judge), { env: environment });
});

test('options that threads do not accept are left out, with their values, and all others stay', (t) => {
  const { NODE_PATH } = started.doctor.environment;
  const own = `--import "./my hooks.mjs" --title "a b" --max-old-space-size=900 --v8-pool-size=2 --cpu-prof`;
  const environment = { NODE_PATH, NODE_OPTIONS: `${started.doctor.environment.NODE_OPTIONS} ${own}` };
  t.is(
    flagsForThreads({ execArgv: [], environment }, node).env.NODE_OPTIONS,
    '--cpu-prof --import "./my hooks.mjs" --max-old-space-size=900 --cpu-prof',
  );
});

test('flags that threads do not accept are left out, with their values, and all others keep their order', (t) => {
  const execArgv = [
    ...started.flame.execArgv,
    ...['--max-old-space-size=900', '--env-file=.env', '--title', 'a, b', '--import', './hooks.mjs'],
    ...['--title=c, d', '-r', './own.cjs', '--cpu-prof', '--cpu-prof-dir=profiles', '--expose-gc'],
    ...['--conditions=development', '--enable-source-maps'],
  ];
  t.deepEqual(flagsForThreads({ execArgv, environment: {} }, node).execArgv, [
    ...['--env-file=.env', '--import', './hooks.mjs', '-r', './own.cjs'],
    ...['--cpu-prof', '--cpu-prof-dir=profiles', '--conditions=development', '--enable-source-maps'],
  ]);
});
