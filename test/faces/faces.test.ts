/** The faces of the gateway interface (docs/sgi.md, section 12) on a live server, over both versions. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { isCut, listen, ways } from '../adapters/ways.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { Signals } from '../server/signals.ts';

const file = (name: string): string => fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
const ONE = { threads: { min: 1, max: 1 } };
const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      generator: { application: file('generator'), ...ONE },
      handler: { application: file('handler'), ...ONE },
    },
  });
});
test.after.always(() => scope.end());

for (const [version, over] of Object.entries(ways)) {
  const title = (what: string): string => `HTTP/${version}: ${what}`;

  test(title('a generator streams both ways, with trailers'), async (t) => {
    const body = 'streaming '.repeat(40_000);
    const asked = { method: 'POST', body, trailers: { 'x-last': 'yes' } };
    const seen = await over(server).ask(t, '/generator/echo', asked);
    t.deepEqual([seen.status, seen.how, seen.headers['content-type']], [200, 'whole', 'text/x-test']);
    t.true(seen.body === body);
    t.is(seen.trailers['x-last'], 'yes');
  });

  wholeOnly(title('a generator yields interim heads, small bodies and none'), async (t) => {
    const interim = await over(server).ask(t, '/generator/interim');
    t.deepEqual([interim.interim, interim.body], [[102, 103], 'final']);
    const small = await over(server).ask(t, '/generator/small');
    t.deepEqual([small.body, small.headers['content-length']], ['small', '5'], 'it leaves whole');
    t.like(await over(server).ask(t, '/generator/empty'), { status: 204, body: '' });
  });

  test.serial(title('a generator is pulled as fast as the peer reads'), async (t) => {
    const read = await over(server).slowly(t, '/generator/pull', {});
    let seen = -1;
    for (let quiet = 0; quiet < 20; ) {
      const { body } = await over(server).ask(t, '/generator/pulled');
      quiet = Number(body) === seen ? quiet + 1 : 0;
      seen = Number(body);
    }
    t.true(seen < 512, `${seen} of 1024 pieces were pulled for a peer that reads nothing`);
    t.is(await read(), 67_108_864);
  });

  wholeOnly(title('a generator whose peer goes away is finalised'), async (t) => {
    const { signals, headers } = listen(t);
    const pulled = signals.until('pulled');
    const finalised = signals.until('finalised');
    const cut = await over(server).upload(t, '/generator/endless', headers);
    await pulled;
    cut();
    await finalised;
    t.is(signals.heard('finalised'), 1);
  });

  wholeOnly(title('a generator that throws fails its exchange, and is finalised'), async (t) => {
    t.is((await over(server).ask(t, '/generator/throw')).status, 500);
    const { signals, headers } = listen(t);
    const finalised = signals.until('finalised', 2);
    t.true(await isCut(over(server).ask(t, '/generator/throw-late', { headers })));
    t.true(await isCut(over(server).ask(t, '/generator/nonsense', { headers })));
    await finalised;
  });

  wholeOnly(title('a generator that yields against the order fails its exchange'), async (t) => {
    for (const path of ['/return-early', '/chunk-first']) {
      t.is((await over(server).ask(t, `/generator${path}`)).status, 500, path);
    }
    t.true(await isCut(over(server).ask(t, '/generator/two-heads')));
    // The response was whole by then; the log has what came behind it.
    await over(server).ask(t, '/generator/behind-trailers');
    const logged = await server.log.until(
      'application failed',
      (line) => line.path === '/generator/behind-trailers',
    );
    t.like(logged.err, { code: 'SLUICE_RESPONSE_ENDED' });
  });

  test(title('a handler is called for head, data, end and close, one after the other'), async (t) => {
    const { signals, headers } = listen(t);
    const told = signals.until('headers data end close:application:complete');
    const body = 'pieces '.repeat(40_000);
    const asked = { method: 'POST', headers, body, trailers: { 'x-last': 'yes' } };
    const seen = await over(server).ask(t, '/handler', asked);
    t.true(seen.body === body);
    t.like(seen.trailers, { 'x-length': String(body.length), 'x-last': 'yes' });
    await told;
  });

  wholeOnly(title('a handler hears of a peer that goes away once, as the last'), async (t) => {
    const { signals, headers } = listen(t);
    const data = signals.until('headers data');
    const told = signals.until('headers data close:peer:reset');
    const cut = await over(server).upload(t, '/handler', headers);
    await data;
    cut();
    await told;
    t.pass();
  });

  wholeOnly(title('a handler that throws fails its exchange, and hears of its end'), async (t) => {
    const early = listen(t);
    const told = early.signals.until('headers close:application:reset');
    const { status } = await over(server).ask(t, '/handler/throw', { headers: early.headers });
    t.is(status, 500);
    await told;
    t.true(await isCut(over(server).ask(t, '/handler/throw-late', { method: 'POST', body: 'x' })));
  });
}

test('a lifespan starts before the first exchange of a thread and stops after its last', async (t) => {
  const signals = new Signals('faces lifespan');
  t.teardown(() => signals.close());
  const stopped = signals.until('stopped spanned');
  const own = await startServer(t, { pools: { spanned: { application: file('lifespan'), ...ONE } } });
  const ask = ways['1.1'] as (typeof ways)[string];
  t.is((await ask(own).ask(t, '/')).body, 'spanned');
  await own.server.drain();
  await stopped;
});

wholeOnly('what start throws is a failure to start, and says so', async (t) => {
  const pools = { failing: { application: file('fails-to-start'), ...ONE } };
  const error = await t.throwsAsync(startServer(t, { pools }));
  t.regex(error?.message ?? '', /there is no database/);
});
