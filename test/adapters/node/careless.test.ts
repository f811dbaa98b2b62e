/**
 * Nothing that an application does to `req`, `res` or their socket ends its thread where node:http would go on, and what comes of it is
 * what comes of it there: the same steps run on node:http, on node:http2 and here.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import type { LogLine } from '../../server/log-lines.ts';
import { type Ask, ways } from '../ways.ts';
import {
  careless,
  destroyedByHand,
  destroyedByStreams,
  late,
  refused,
  sockets,
  thrown,
  trespasses,
} from './applications/careless.ts';
import { type Address, startReference } from './reference.ts';

/** As a handler and as a server; the one under the validator, the other as it is by default. */
const POOLS = ['careless', 'careless-server'] as const;
const PLACES = ['in', 'behind'] as const;

const scope = new FileScope();
let server: TestServer;
let reference: Record<string, Address>;
let threads: Record<string, string>;

test.before(async () => {
  const application = (name: string): string =>
    fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
  const pool = (name: string) => ({ application: application(name), threads: { min: 1, max: 1 } });
  server = await startServer(scope, {
    pools: {
      careless: pool('careless'),
      // What is refused is told in the server's own words.
      'careless-server': { ...pool('careless-server'), validate: false },
    },
  });
  reference = await startReference(scope, careless);
  threads = Object.fromEntries(await Promise.all(POOLS.map(async (name) => [name, await threadOf(name)])));
});
test.after.always(() => scope.end());

async function threadOf(pool: string): Promise<string> {
  return (await requestHttp1(`${server.origin}/${pool}/ask/thread`)).body.toString();
}

interface Outcome {
  readonly status: number;
  readonly body: string;
  readonly how: 'whole' | 'cut';
  /** What the step has told of itself. */
  readonly told?: unknown;
}

/** A response that never began, or never ended, is none; its body is compared where it is whole. */
const NOTHING: Outcome = { status: 0, body: '', how: 'cut' };

interface Run extends Ask {
  readonly step: string;
  readonly place: string;
  readonly tells?: boolean;
}

async function run(t: ExecutionContext, address: Address, version: string, run: Run): Promise<Outcome> {
  const { step, place, tells, ...ask } = run;
  const headers = { ...ask.headers, 'x-id': randomUUID() };
  const way = (ways[version] as (typeof ways)[string])(address);
  const seen = await way.ask(t, `${place}${step}`, { ...ask, headers }).catch(() => NOTHING);
  const { status, how } = seen;
  const body = seen.body.length > 200 ? `${seen.body.length} bytes` : seen.body;
  const outcome = { status, how, body: how === 'whole' ? body : '' };
  if (tells !== true) return outcome;
  const prefix = place.replace(/\/(in|behind)$/, '');
  const told = await way.ask(t, `${prefix}/ask/outcome`, { headers });
  return { ...outcome, told: JSON.parse(told.body) };
}

/** What a step does here, for each pool and place, and that its thread has survived it. */
function here(
  what: string,
  steps: readonly string[],
  check: (t: ExecutionContext, version: string, run: Run) => Promise<void>,
): void {
  for (const step of steps) {
    for (const version of Object.keys(ways)) {
      for (const pool of POOLS) {
        for (const where of PLACES) {
          test(`${what}: ${step}, HTTP/${version}, ${pool}, ${where}`, async (t) => {
            await check(t, version, { step, place: `/${pool}/${where}` });
            t.is(await threadOf(pool), threads[pool] as string, 'its thread has died');
          });
        }
      }
    }
  }
}

/** What the log says of a step that has failed. Of very many in a second it says only how many, so it may have to be made again. */
async function logged(t: ExecutionContext, version: string, what: Run): Promise<Error & { code?: string }> {
  const path = `${what.place}${what.step}`;
  const isIt = (line: LogLine) => line.path === path && line.msg === 'application failed on an exchange';
  for (;;) {
    const line = server.log.lines.find(isIt);
    if (line !== undefined) return line.err as Error;
    await run(t, server, version, what);
  }
}

here('a stream destroys the request', Object.keys(destroyedByStreams), async (t, version, what) => {
  const upload = { ...what, method: 'POST', body: 'hello' };
  const expected = await run(t, reference[version] as Address, version, { ...upload, place: '/in' });
  t.regex(expected.body, /stored/);
  t.deepEqual(await run(t, server, version, upload), expected);
});

here('the request is empty', ['/undici', '/pipeline-file'], async (t, version, what) => {
  const expected = await run(t, reference[version] as Address, version, { ...what, place: '/in' });
  t.is(expected.how, 'whole');
  t.deepEqual(await run(t, server, version, what), expected);
});

here('the exchange is ended by hand', Object.keys(destroyedByHand), async (t, version, what) => {
  const expected = await run(t, reference['1.1'] as Address, '1.1', { ...what, place: '/in' });
  const seen = await run(t, server, version, what);
  // Of an error on its socket Node's server thinks that it was the client's, and answers 400.
  t.deepEqual([seen.how, expected.how], ['cut', what.step === '/socket-error' ? 'whole' : 'cut']);
});

/** Codes of the gateway and what they are about, by step. */
const REFUSALS: readonly (readonly [step: RegExp, message: RegExp])[] = [
  [/detached/, /expected 10 bytes to stay as they are until they have gone, 0 of them are left/],
  [/trailer/, /says what must be known before the body/],
  [/length-word/, /expected one decimal content-length, got "six"/],
  [/length/, /content-length/],
  [/status/, /expected a final status, 200 to 599.*got (600|999|103|101)/],
  [
    /twice-(.*)/,
    /expected at most one '(content-type|.*-origin|.*-security|etag|location|server|date)' field/,
  ],
];

here('the response is refused', Object.keys(refused), async (t, version, what) => {
  // Node sends it, which is all that is of interest here. Behind a 1xx its own client waits for more.
  if (!/status-1/.test(what.step))
    await run(t, reference['1.1'] as Address, '1.1', { ...what, place: '/in' });
  const seen = await run(t, server, version, what);
  // Over HTTP/1.1 a client has all that was declared before it can see the cut.
  if (what.step === '/begun-length-long' && version === '1.1') t.is(seen.body, 'abc');
  else t.is(seen.how === 'cut' ? 'cut' : seen.status, /begun/.test(what.step) ? 'cut' : 500);
  const [, message] = REFUSALS.find(([step]) => step.test(what.step)) as (typeof REFUSALS)[number];
  t.regex((await logged(t, version, what)).message, message);
});

here('what Node throws is thrown', Object.keys(thrown), async (t, version, what) => {
  const tells = { ...what, tells: true };
  const expected = await run(t, reference['1.1'] as Address, '1.1', { ...tells, place: '/in' });
  t.false(JSON.stringify(expected.told).includes('nothing'));
  t.deepEqual(await run(t, server, version, tells), expected);
});

here('it is over', Object.keys(late), async (t, version, what) => {
  const tells = { ...what, tells: true };
  const expected = await run(t, reference['1.1'] as Address, '1.1', { ...tells, place: '/in' });
  t.deepEqual(await run(t, server, version, tells), expected);
});

here('the socket is used', Object.keys(sockets), async (t, version, what) => {
  const tells = { ...what, tells: what.step === '/socket-state' || what.step === '/methods' };
  // Or the client would ask Node to close the socket.
  const headers = { connection: 'keep-alive' };
  const expected = await run(t, reference['1.1'] as Address, '1.1', { ...tells, headers, place: '/in' });
  // Node 26 keeps what is written to the end of the tick, so that a socket which ends before takes the head along.
  const headIsLost = expected.status === 0 && /^\/(?:destroy-soon|end)-open$/.test(what.step);
  t.deepEqual(await run(t, server, version, tells), headIsLost ? { ...expected, status: 200 } : expected);
});

here('the connection is trespassed on', Object.keys(trespasses), async (t, version, what) => {
  const seen = await run(t, server, version, what);
  t.deepEqual([seen.status, seen.how], [500, 'whole']);
  t.is((await logged(t, version, what)).code, 'SLUICE_NO_SOCKET');
});
