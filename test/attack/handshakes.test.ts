/** Thousands of peers that begin TLS handshakes and finish none, from an address of their own. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { clientHello } from '../tls/client-hello.ts';
import { askByTls, MEBIBYTE, startTlsTarget, type Target } from './siege.ts';

const PEERS = 1_500;
const ATTACKERS = '127.0.0.2';
const HONEST_REQUESTS = 3;
/** Each of them would hold 70 to 80 KiB if its handshake were in progress. */
const MAX_GROWTH_BYTES = 64 * MEBIBYTE;
/**
 * The honest client runs in the same process as its attackers, so on a busy machine it is slow to finish its
 * handshake, too.
 */
const limits: ConfigInput['limits'] = { handshakes: { max: 100, graceMs: 3_000 } };

interface Besiegers {
  readonly open: () => number;
  readonly closed: () => number;
}

/**
 * Starts this many peers, each of which sends these bytes and no more. A peer that is disconnected connects
 * again, until the test is over.
 */
async function besiegeWith(t: ExecutionContext, { port }: Target, bytes: Buffer): Promise<Besiegers> {
  const peers = new Set<Socket>();
  let closed = 0;
  let state: 'on' | 'over' = 'on';
  t.teardown(() => {
    state = 'over';
    for (const peer of peers) peer.destroy();
  });
  const begin = async (): Promise<void> => {
    const peer = connect({ port, host: '127.0.0.1', localAddress: ATTACKERS });
    peers.add(peer);
    peer.on('error', () => undefined);
    peer.on('close', () => {
      peers.delete(peer);
      closed++;
      if (state === 'on') void begin().catch(() => undefined);
    });
    peer.resume();
    await once(peer, 'connect');
    peer.write(bytes);
  };
  for (let n = 0; n < PEERS; n++) await begin();
  return { open: () => peers.size, closed: () => closed };
}

for (const [what, part] of [
  ['half a ClientHello', (hello: Buffer) => hello.subarray(0, hello.length >> 1)],
  ['all of a ClientHello but a byte', (hello: Buffer) => hello.subarray(0, -1)],
  ['a ClientHello and nothing more', (hello: Buffer) => hello],
] as const) {
  test.serial(`${PEERS} peers that send ${what} cost little, and others are served meanwhile`, async (t) => {
    const target = await startTlsTarget(t, { limits });
    for (let n = 0; n < HONEST_REQUESTS; n++) await askByTls(target);
    const before = target.residentBytes();
    const peers = await besiegeWith(t, target, part(await clientHello()));
    for (let n = 0; n < HONEST_REQUESTS; n++) t.is(await askByTls(target), 'hello');
    const { stdout } = await promisify(execFile)('curl', ['-sSk', `${target.origin}/hello`]);
    t.is(stdout, 'hello');
    const grown = target.residentBytes() - before;
    t.true(peers.open() > PEERS / 2, 'they were still there when the last honest client was answered');
    t.true(grown <= MAX_GROWTH_BYTES, `the server grew by ${Math.round(grown / MEBIBYTE)} MiB`);
  });
}

test.serial('the log warns once a second about handshakes that made room for others', async (t) => {
  const target = await startTlsTarget(t, { limits: { handshakes: { max: 1, graceMs: 1 } } });
  await besiegeWith(t, target, await clientHello());
  const line = await target.log.until('unfinished TLS handshakes were ended to make room for others');
  t.like(line, { level: 'warn', option: 'limits.handshakes', peer: ATTACKERS });
  t.true((line.ended as number) > 0);
});

test.serial(
  'a crowd that connects at once is served completely, however few handshakes may run at a time',
  async (t) => {
    const target = await startTlsTarget(t, { limits: { handshakes: { max: 10, graceMs: 60_000 } } });
    const sockets = Array.from({ length: 500 }, () =>
      connectTls({ port: target.port, host: '127.0.0.1', rejectUnauthorized: false }),
    );
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'secureConnect')));
    t.is(await askByTls(target), 'hello');
  },
);
