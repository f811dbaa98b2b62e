/**
 * Each of the real clinic's tools, with a load on the port that it finds, on a server whose user sets Node
 * flags too. The tests check the recorded data: clinic ends with 0 whatever the data are.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ClinicTool } from '../../runtime/clinic/injected.ts';
import { type ClinicRun, runClinic } from './clinic-run.ts';
import {
  flameNames,
  heapUrls,
  pageData,
  processSamples,
  recordedEvents,
  recordedStacks,
} from './recorded.ts';

const LOAD = 'h2load -n 300 -c 4 http://127.0.0.1:$PORT/';
const ANSWER = 'curl -sS --http2-prior-knowledge -i "http://127.0.0.1:$PORT/?below=10"';

/** Flags that reach the threads, and one that threads do not accept. */
const userFlags = [
  ...['--max-old-space-size=900', '--env-file=.env', '--import=./own.mjs'],
  ...['--cpu-prof', '--cpu-prof-dir=profiles'],
];

async function profile(t: ExecutionContext, tool: ClinicTool, flags = userFlags): Promise<ClinicRun> {
  t.timeout(120_000);
  const run = runClinic(t, tool, {
    words: ['--on-port', `${ANSWER} && ${LOAD}`],
    nodeFlags: flags,
    // clinic does not understand the first listener.
    listeners: [{ address: 'unix:./socket' }, { address: '127.0.0.1:0' }],
    // The load must not go to this port.
    monitoring: { address: '127.0.0.1:0' },
  });
  writeFileSync(join(run.directory, '.env'), 'FROM_FILE=read\n');
  writeFileSync(join(run.directory, 'own.mjs'), `process.env.FROM_IMPORT = 'loaded';\n`);
  t.is(await run.ended, 0, run.output());
  const output = run.output();
  t.regex(output, /300 2xx, 0 3xx, 0 4xx, 0 5xx/);
  t.regex(output, /x-from-file: read/);
  t.regex(output, /x-from-import: loaded/);
  t.is(run.log.count('thread started'), 2);
  t.is(run.log.count('monitoring on'), 0);
  t.is(run.log.count('monitoring listener not opened'), 1);
  for (const wrong of ['thread died', 'pool stopped', 'could not start'])
    t.is(run.log.count(wrong), 0, wrong);
  t.notRegex(output, /Decoded message is not valid|decoding error|Error:/);
  const left = readdirSync(run.directory).filter((name) => /node_trace|isolate/.test(name));
  t.deepEqual(left, []);
  return run;
}

/** Node's own profile of each thread: the user's flags apply in all of them. */
function profiledThreads({ directory }: ClinicRun): boolean[] {
  const files = readdirSync(join(directory, 'profiles'));
  return files.map((file) =>
    readFileSync(join(directory, 'profiles', file), 'utf8').includes('countPrimesBelow'),
  );
}

test.serial('doctor samples only the main thread, and its time never runs backwards', async (t) => {
  const run = await profile(t, 'doctor');
  const samples = await processSamples(run.data);
  t.true(samples.length >= 10, `${samples.length} samples`);
  const backwards = samples.filter(
    ({ timestamp }, index) => timestamp < (samples[index - 1]?.timestamp ?? 0),
  );
  t.deepEqual(backwards, []);
  // A thread that computes all the time reads 100.
  t.true(samples.some(({ loopUtilization }) => loopUtilization < 99));
  const events = recordedEvents(run.data);
  const names = events.filter(({ name }) => name === 'thread_name').map(({ args }) => args.name);
  t.true(names.includes('JavaScriptMainThread'));
  t.deepEqual(
    names.filter((name) => name?.startsWith('[worker')),
    [],
  );
  t.deepEqual([...new Set(events.filter(({ cat }) => cat === 'v8').map(({ tid }) => tid))], [events[0]?.pid]);
  const { processStat } = pageData(`${run.data}.html`) as { processStat: readonly unknown[] };
  t.is(processStat.length, samples.length);
  t.deepEqual(profiledThreads(run).sort(), [false, true, true]);
});

test.serial("flame has the main thread's functions, and no other thread's", async (t) => {
  const run = await profile(t, 'flame', userFlags.slice(0, 3));
  const names = [...flameNames(run.data)];
  t.true(
    names.some((name) => /^\S+ file:.*\/runtime\/http2\/\S+\.ts:/.test(name)),
    names.join('\n'),
  );
  t.deepEqual(
    names.filter((name) => /isPrime|countPrimesBelow/.test(name)),
    [],
  );
  t.regex(readFileSync(`${run.data}.html`, 'utf8'), /runtime\/http2\//);
});

test.serial("bubbleprof groups the main thread's operations, and ends", async (t) => {
  // With --cpu-prof, Node 26 has crashed under the stack traces that bubbleprof takes.
  const run = await profile(t, 'bubbleprof', userFlags.slice(0, 3));
  const stacks = await recordedStacks(run.data);
  t.true(stacks.length > 100);
  const { data } = pageData(`${run.data}.html`) as {
    data: readonly { readonly nodes: readonly unknown[] }[];
  };
  const nodes = data.flatMap((cluster) => cluster.nodes);
  t.true(nodes.length > 20, `${nodes.length} groups`);
  t.regex(JSON.stringify(nodes), /runtime\/reactor\.ts|runtime\/connections\//);
});

test.serial("heapprofiler has the main thread's allocations", async (t) => {
  const run = await profile(t, 'heapprofiler');
  const urls = [...heapUrls(run.data)];
  t.true(
    urls.some((url) => url.includes('/runtime/')),
    urls.join('\n'),
  );
  t.deepEqual(
    urls.filter((url) => url.includes('primes.ts')),
    [],
  );
  t.regex(readFileSync(`${run.data}.html`, 'utf8'), /<\/html>/);
  t.deepEqual(profiledThreads(run).sort(), [false, true, true]);
});
