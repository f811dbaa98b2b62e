/** What may wait for a peer that takes nothing, as `writeBacklogBytes` of a pool says: of Node's responses, and of Fetch's streams. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { errorCode, headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';

const BACKLOG = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** Pieces within the backlog, and beyond it whatever the exchange holds itself. */
const FEW = 8;
const MANY = 64;
const INITIAL_WINDOW_SIZE = 0x4;

const floods = [
  { pool: 'node', path: '/write', advice: /res\.write\(\) is false, until 'drain'/ },
  { pool: 'fetch', path: '/default', advice: /enqueues when it is pulled, or waits while .*desiredSize/ },
  { pool: 'fetch', path: '/bytes', advice: /enqueues when it is pulled, or waits while .*desiredSize/ },
] as const;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const pool = (kind: 'node' | 'fetch') => ({
    application: fileURLToPath(new URL(`${kind}/applications/flood.ts`, import.meta.url)),
    kind,
    threads: 1,
    writeBacklogBytes: BACKLOG,
  });
  server = await startServer(scope, {
    pools: { node: pool('node'), fetch: pool('fetch') },
    routes: ['node', 'fetch'].map((name) => ({ host: `${name}.test`, path: '/*', pool: name })),
  });
});
test.after.always(() => scope.end());

const ask = (pool: string, path: string, signals = '') =>
  requestHttp1(server.origin + path, { headers: { host: `${pool}.test`, [SIGNALS_FIELD]: signals } });

for (const { pool, path, advice } of floods) {
  test.serial(
    `${pool}, ${path}: more than the backlog ends this exchange alone, and the log says how to wait`,
    async (t) => {
      const thread = (await ask(pool, '/thread')).body.toString();
      const signals = new Signals(`beyond ${pool}${path}`);
      t.teardown(() => signals.close());
      const client = await RawHttp2.connect(t, server.port, { settings: { [INITIAL_WINDOW_SIZE]: 0 } });
      const told = ['begun', 'flooded', 'over'].map((word) => signals.until(word));
      const more = { [SIGNALS_FIELD]: signals.name };
      client.send(headers(1, requestHead('GET', `${path}?pieces=${MANY}`, more, `${pool}.test`), true));
      await told[0];
      signals.tell('flood');
      // What is written behind it neither throws nor is kept.
      await Promise.all(told);
      t.is(errorCode(await client.untilFrame(FrameType.RstStream, 1)), 0x2);
      t.is(client.dataBytes, 0);
      t.is((await ask(pool, '/thread')).body.toString(), thread);
      const line = await server.log.until('application failed on an exchange', (each) =>
        String(each.path).includes(path),
      );
      const { message, code } = line.err as { message: string; code: string };
      t.deepEqual([line.pool, code], [pool, 'SLUICE_WRITE_BACKLOG']);
      t.regex(message, advice);
      t.regex(message, new RegExp(String(BACKLOG)));
    },
  );

  test.serial(`${pool}, ${path}: what stays within the backlog arrives whole`, async (t) => {
    const signals = new Signals(`within ${pool}${path}`);
    t.teardown(() => signals.close());
    const begun = signals.until('begun');
    const answer = ask(pool, `${path}?pieces=${FEW}`, signals.name);
    await begun;
    signals.tell('flood');
    const { body, how } = await answer;
    t.deepEqual([body.length, how], [FEW * PIECE_BYTES, 'whole']);
  });

  test.serial(`${pool}, ${path}: one piece may be longer than the backlog`, async (t) => {
    const { body, how } = await ask(pool, `/one?pieces=${MANY}`);
    t.deepEqual([body.length, how], [MANY * PIECE_BYTES, 'whole']);
  });
}
