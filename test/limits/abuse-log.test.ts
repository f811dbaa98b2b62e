/** What the log says about peers that are disconnected for abuse. */
import test from 'ava';
import { EngineCounters } from '../../runtime/http2/counters.ts';
import { FrameType } from '../../runtime/http2/frames.ts';
import { AbuseLog } from '../../runtime/logging/abuse-log.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { data, ping } from '../http2/frames.ts';
import { application, startServer } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { errorCode, headers, RawHttp2, requestHead } from '../server/raw-http2.ts';

const ENHANCE_YOUR_CALM = 11;
const server = (t: Parameters<typeof startServer>[0], http2: object) =>
  startServer(t, {
    http2,
    pools: { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
  });

test('a GOAWAY for abuse is logged as a warning with the budget, its option, the peer and what the peer did', async (t) => {
  const { port, log } = await server(t, { budgets: { pings: { burst: 3, perSecond: 0 } } });
  const client = await RawHttp2.connect(t, port);
  client.send(headers(1, requestHead('POST', '/digest'), false), data(1, 'x'));
  // The request has earned one more than the burst.
  for (let n = 0; n < 5; n++) client.send(ping());
  t.is(errorCode(await client.untilFrame(FrameType.Goaway, 0)), ENHANCE_YOUR_CALM);
  const line = await log.until('connection ended with ENHANCE_YOUR_CALM');
  t.like(line, {
    level: 'warn',
    budget: 'pings',
    option: 'http2.budgets.pings',
    peer: `127.0.0.1:${client.socket.localPort}`,
    counts: { requests: 1, contentFramesIn: 1, framesIn: { DATA: 1, HEADERS: 1, PING: 5 } },
  });
});

test('a limit that ends the connection is logged with its option', async (t) => {
  const { port, log } = await server(t, { maxContinuationFrames: 0 });
  const client = await RawHttp2.connect(t, port);
  const block = requestHead('GET', '/hello');
  const head = headers(1, block, true);
  // Without END_HEADERS.
  head[4] = 1;
  const continuation = headers(1, '' as never, false);
  continuation[3] = FrameType.Continuation;
  client.send(head, continuation);
  await client.closed;
  const line = await log.until('connection ended with ENHANCE_YOUR_CALM');
  t.deepEqual([line.budget, line.option], ['continuation', 'http2.maxContinuationFrames']);
});

test('repeated disconnects of a peer are one line in each interval and budget, and the rest are counted', (t) => {
  const lines = new LogLines();
  const log = new AbuseLog(
    createLog({ level: 'warn', format: 'json' }, { stream: lines.stream, isTerminal: false, colour: false }),
    1_000,
  );
  const peer = (port: number) => ({ address: '::1', port }) as Parameters<AbuseLog['add']>[1];
  const counters = new EngineCounters();
  for (let port = 1; port <= 100; port++) log.add('pings', peer(port), counters, 5_000);
  log.add('settings', peer(200), counters, 5_000);
  log.tick(5_500);
  t.deepEqual(
    lines.lines.map(({ budget, peer, suppressed }) => [budget, peer, suppressed]),
    [
      ['pings', '[::1]:1', undefined],
      ['settings', '[::1]:200', undefined],
    ],
  );
  log.add('pings', peer(300), counters, 6_000);
  t.is(lines.lines.at(-1)?.suppressed, 99);
  log.add('pings', peer(301), counters, 6_001);
  log.tick(7_000);
  t.like(lines.lines.at(-1), { budget: 'pings', suppressed: 1, level: 'warn' });
  const before = lines.lines.length;
  log.tick(9_000);
  t.is(lines.lines.length, before);
});
