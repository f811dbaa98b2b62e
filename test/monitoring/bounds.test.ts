/** What clients of the listener of `monitoring` can take at most. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import type { MonitoringConfig } from '../../runtime/config/monitoring.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { openMonitoring } from '../../runtime/monitoring/open.ts';
import { Reactor } from '../../runtime/server/reactor.ts';
import { configOf } from '../control/control-server.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { LogLines } from '../server/log-lines.ts';

/** The listener without a server behind it. */
async function open(t: ExecutionContext, input: Omit<ConfigInput['monitoring'] & object, 'address'>) {
  const config = configOf({}, '/nowhere/runtime.config.json', {
    monitoring: { address: '127.0.0.1:0', ...input },
  });
  const log = new LogLines();
  const local = await openMonitoring(
    config.monitoring as MonitoringConfig,
    config,
    {
      durations: null,
      details: () => ({ front: { refused: {}, requests: {}, abuse: {} } as never, pools: [], threads: [] }),
      readiness: () => ({ ready: true, state: 'running', pools: [] }),
      status: () => {
        throw new Error('not asked for here');
      },
    },
    new Reactor(1_000, () => undefined),
    createLog({ level: 'debug', format: 'json' }, { stream: log.stream, isTerminal: false, colour: false }),
  );
  t.teardown(() => local.close());
  const { address } = await log.until('monitoring on');
  return { port: Number(String(address).split(':')[1]), origin: `http://${address}`, log };
}

/** A connection that says nothing. */
async function holdOpen(t: ExecutionContext, port: number, localAddress: string) {
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, closed: once(socket.resume(), 'close') };
}

test('of more connections than maxConnections the oldest makes room, of the address with the most, so a probe is answered', async (t) => {
  const { port, origin, log } = await open(t, { maxConnections: 3 });
  const other = await holdOpen(t, port, '127.0.0.2');
  const held = [await holdOpen(t, port, '127.0.0.1'), await holdOpen(t, port, '127.0.0.1')];
  const newer = await holdOpen(t, port, '127.0.0.1');
  await held[0]?.closed;
  t.is((await requestHttp1(`${origin}/livez`)).status, 200);
  await held[1]?.closed;
  // One more of that address, and the one that is left of its older ones makes room.
  await holdOpen(t, port, '127.0.0.1');
  await holdOpen(t, port, '127.0.0.1');
  await newer.closed;
  t.false(other.socket.destroyed, 'the oldest of all is of an address with fewer');
  t.like(log.find('connection to the control, monitoring or admin listener refused'), {
    refusal: 'too-many-connections',
    section: 'monitoring',
  });
});

test('requests of an address beyond maxRequestsPerSecond are answered 429 and end their connection, and others are answered', async (t) => {
  const { port } = await open(t, { maxRequestsPerSecond: 2 });
  t.deepEqual(await statuses(port, '127.0.0.1', 10), ['200', '200', '429']);
  t.deepEqual(await statuses(port, '127.0.0.2', 1), ['200']);
});

/** Of requests that one address sends at once. */
async function statuses(port: number, localAddress: string, times: number) {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(times - 1));
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  return [...(await text(socket)).matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
}

test('the configuration says how many addresses are remembered, and how many streams a connection has', async (t) => {
  const { port, origin } = await open(t, {
    // What has been asked comes again after more than a test.
    maxRequestsPerSecond: 1,
    maxRememberedAddresses: 1,
    maxStreams: 3,
  });
  const session = connectHttp2(origin);
  t.teardown(() => session.destroy());
  await once(session, 'remoteSettings');
  t.is(session.remoteSettings.maxConcurrentStreams, 3);
  t.deepEqual(await statuses(port, '127.0.0.1', 2), ['200', '429']);
  for (let address = 2; address < 5; address++)
    t.deepEqual(await statuses(port, `127.0.0.${address}`, 1), ['200']);
  t.deepEqual(await statuses(port, '127.0.0.1', 2), ['200', '429'], 'it had been forgotten');
});
