/** The watchdog sees a wake-up that is lost, wherever it is lost. Each test breaks one, in this process or in the thread. */
import test from 'ava';
import { Reactor } from '../../runtime/server/reactor.ts';
import { contentOf } from './content.ts';
import { deafen } from './deafness.ts';
import { application, startServer } from './harness.ts';
import { connectHttp2, request } from './http2-client.ts';
import { findStalls } from './stalls.ts';

/** A ring that a few bodies of 100 kB fill. */
const RING = { ringBytes: 262_144 } as const;
const AT_ONCE = 100;
/** What a thread has at a time, by default. */
const SLOTS = 64;

test.serial('a thread that is not told of room is reported as a stall', async (t) => {
  const stalled = Promise.withResolvers<string>();
  const pool = {
    application: application('server', 'deaf-pieces'),
    threads: { min: 1, max: 1 },
    ...RING,
  };
  const { origin } = await startServer(t, { pools: { pool } }, stalled.resolve);
  const session = await connectHttp2(t, origin);
  for (let i = 0; i < AT_ONCE; i++) void request(session, { ':path': `/${i}` });
  t.regex(await stalled.promise, /^thread pool-1: \d+ exchanges wait for room, and both sides sleep$/);
});

test.serial('a reactor that is not told of room is reported as a stall', async (t) => {
  t.teardown(deafen());
  const stalled = Promise.withResolvers<string>();
  const pool = {
    application: application('server', 'pieces'),
    threads: { min: 1, max: 1 },
    ...RING,
  };
  const { origin } = await startServer(t, { pools: { pool } }, stalled.resolve);
  const session = await connectHttp2(t, origin);
  for (let i = 0; i < AT_ONCE; i++) {
    void request(session, { ':path': `/${i}`, ':method': 'POST' }, contentOf(`/${i}`));
  }
  t.regex(await stalled.promise, /^thread pool-1: \d+ jobs wait for room, and both sides sleep$/);
});

test.serial('a connection that is not flushed is reported as a stall', async (t) => {
  const stalled = Promise.withResolvers<string>();
  const pool = { application: application('server', 'pieces'), threads: { min: 1, max: 1 } };
  const { origin } = await startServer(t, { pools: { pool } }, stalled.resolve);
  const session = await connectHttp2(t, origin);
  t.is((await request(session, { ':path': '/before' })).how, 'whole');
  const { flushLater } = Reactor.prototype;
  t.teardown(() => {
    Reactor.prototype.flushLater = flushLater;
  });
  Reactor.prototype.flushLater = () => undefined;
  void request(session, { ':path': '/after' });
  t.is(await stalled.promise, 'a connection has output that nothing holds back, and the reactor sleeps');
});

test.serial('waiting for a peer or an application is not a stall', async (t) => {
  const pool = {
    application: application('server', 'pieces'),
    threads: { min: 1, max: 1 },
    // So that the applications wait for credit, each in the middle of its response.
    responseWindowBytes: 16_384,
    maxResponseWindowBytes: 16_384,
  };
  const { origin, server } = await startServer(t, { pools: { pool } });
  const session = await connectHttp2(t, origin);
  const held = Array.from({ length: SLOTS }, (_, i) => session.request({ ':path': `/${i}` }));
  const { reactor, pools } = server.parts;
  const threads = pools.flatMap((each) => [...each.threads]);
  const isHeld = (): boolean =>
    reactor.isAsleep && threads.every(({ channel, outstanding }) => channel.isQuiet && outstanding === SLOTS);
  let quiet = 0;
  while (quiet < 10) {
    await new Promise((resolve) => setTimeout(resolve));
    if (!isHeld()) continue;
    quiet++;
    t.deepEqual(await findStalls(server), []);
  }
  t.is(held.length, SLOTS);
});
