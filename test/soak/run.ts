/**
 * `npm run soak [-- --minutes N --seed S]`: a server under everything at once, with threads that die and clients that leave.
 *
 * Every request has an id, which its answer must carry and its content consist of. At a third of the time and at the end the clients
 * pause, and what the server's process holds is compared. Ends with 1 when an answer was wrong, lost or given twice, or something grew.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { FileScope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { clients, type World } from './clients.ts';
import { JOURNAL_VARIABLE } from './journal-variable.ts';
import type { Holding } from './server.ts';
import { Tally } from './tally.ts';

/** What may be more at the end than at a third: heaps breathe, and allocators keep what they once had. */
const TOLERANCE: Holding = {
  rss: 64 * 1_048_576,
  heapUsed: 16 * 1_048_576,
  arrayBuffers: 8 * 1_048_576,
  handles: 4,
  descriptors: 4,
  openExchanges: 0,
};
/** How long the pools take at most to be as small as they get, after the load. */
const CALM_SECONDS = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(randomInt(2 ** 32 - 1)) },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0 && Number.isInteger(seed))) {
  console.error('usage: npm run soak [-- --minutes N --seed S]');
  process.exit(2);
}
console.log(`seed ${seed}, ${minutes} minutes`);

const scope = new FileScope();
const directory = mkdtempSync(join(tmpdir(), 'sluice-soak-'));
scope.teardown(() => rmSync(directory, { recursive: true, force: true }));
const journal = join(directory, 'journal');
writeFileSync(journal, '');

const authority = await TestAuthority.create();
const tlsFiles = new TestFiles(scope);
const certificate = tlsFiles.certificate('soak', await authority.issue({ names: ['localhost'] }));
const files = new Map([1, 10_000, 3_000_000].map((size) => [`${size}.bin`, randomBytes(size)]));
mkdirSync(join(directory, 'files'));
for (const [name, bytes] of files) writeFileSync(join(directory, 'files', name), bytes);

const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), {
  execArgv: ['--expose-gc'],
  // What glibc keeps of threads that have ended would hide what the server keeps: a third of its rss (docs/operations.md, "Memory").
  env: { ...process.env, MALLOC_ARENA_MAX: '2', [JOURNAL_VARIABLE]: journal },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
scope.teardown(() => child.kill('SIGKILL'));
const log = new LogLines();
child.stdout?.setEncoding('utf8').on('data', (text: string) => log.push(text));
child.once('exit', (code, signal) => {
  if (child.connected || code !== 0) console.error(`the server ended with ${code ?? signal}`);
});

child.send({ config: JSON.stringify(configuration()) });
await once(child, 'message');
const addressOf = async (host: string) => {
  const line = await log.until('listening on', ({ address }) => String(address).includes(host));
  return Number(String(line.address).split(':').at(-1));
};
const [port, securePort] = [await addressOf('127.0.0.1:'), await addressOf('127.0.0.2:')];

const tally = new Tally();
const random = randomBySeed(seed);
let id = 0;
const load = async (seconds: number) => {
  const stopping = new AbortController();
  const world: World = {
    origin: `http://127.0.0.1:${port}`,
    port,
    secureOrigin: `https://127.0.0.2:${securePort}`,
    ca: authority.cert,
    tally,
    random,
    nextId: () => String(++id),
    files,
    stopping: stopping.signal,
  };
  const running = clients.map((client) => client(world));
  await delay(seconds * 1_000);
  stopping.abort();
  await Promise.all(running);
};

await load(minutes * 20);
const before = await calm(child);
await load(minutes * 40);
const after = await calm(child);
child.send('end');
await once(child, 'exit');

const ran = readFileSync(journal, 'utf8').trimEnd().split('\n');
const twice = ran.length - new Set(ran).size;
const { totals } = tally;
for (const [client, counts] of tally.rows) console.log(client.padEnd(24), JSON.stringify(counts));
const deaths = log.count('thread died: it is replaced');
console.log(`threads that died: ${deaths}`);
let isFlat = true;
for (const key of Object.keys(TOLERANCE) as (keyof Holding)[]) {
  const grew = after[key] - before[key];
  const verdict = grew <= TOLERANCE[key] ? 'flat' : 'grew';
  if (verdict === 'grew') isFlat = false;
  console.log(`${key.padEnd(12)} ${before[key]} at a third, ${after[key]} at the end: ${verdict}`);
}
for (const finding of tally.findings) console.log(finding);
const { sent, right, refused, failed, wrong, lost } = totals;
console.log(
  `sent ${sent}, right ${right}, refused ${refused}, failed ${failed}, given up ${totals['given up']}, wrong ${wrong}, lost ${lost}, twice ${twice}`,
);
const isGood = wrong === 0 && lost === 0 && twice === 0 && isFlat && right > 0 && deaths > 0;
console.log(isGood ? '✔ soak' : '✘ [fail]: soak');
await scope.end();
process.exitCode = isGood ? 0 : 1;

/** What the process holds when its pools have come to rest: two readings in a row with the same handles. */
async function calm(server: ChildProcess): Promise<Holding> {
  let last: Holding | null = null;
  for (let second = 0; ; second++) {
    await delay(1_000);
    server.send('measure');
    const [holding] = (await once(server, 'message')) as [Holding];
    if (second >= CALM_SECONDS) return holding;
    if (second > 6 && last !== null && last.handles === holding.handles) return holding;
    last = holding;
  }
}

function configuration(): ConfigInput {
  const application = (name: string) => fileURLToPath(new URL(`./applications/${name}.ts`, import.meta.url));
  const pool = (name: string) => ({
    application: application(name),
    // Growing and shrinking all the time, and dying as often as they are told to.
    threads: { min: 1, max: 3 },
    idleTimeoutMs: 300,
    startTimeoutMs: 60_000,
    exchangesPerThread: 32,
    restart: { intensity: 1_000_000, periodMs: 1_000 },
  });
  const names = ['exchange', 'express', 'fetch', 'socket'];
  return {
    listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.2:0', tls: { certificates: [certificate] } }],
    pools: Object.fromEntries(names.map((name) => [name, pool(name)])),
    routes: [
      ...names.map((name) => ({ path: `/${name}/*`, pool: name, websocket: name === 'socket' })),
      { path: '/files/*', static: { root: join(directory, 'files') } },
    ],
    log: { level: 'info', format: 'json' },
  };
}

/** A linear congruential generator (Numerical Recipes): enough to replay a mixture. */
function randomBySeed(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
