import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { readTo } from '../../runtime/connections/socket-input.ts';
import { type Issued, TestAuthority } from '../tls/authority.ts';

let issued: Issued;
test.before(async () => {
  issued = await (await TestAuthority.create()).issue({ names: ['localhost'] });
});

interface Pair {
  /** As a server has accepted it. */
  readonly accepted: Socket;
  readonly client: Socket;
}

async function pair(t: ExecutionContext, isTls = false): Promise<Pair> {
  const options = { allowHalfOpen: true };
  const server = isTls ? createTlsServer({ ...options, ...issued }) : createServer(options);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = isTls
    ? connectTls({ ...options, port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ ...options, port, host: '127.0.0.1' });
  const [accepted] = (await once(server, isTls ? 'secureConnection' : 'connection')) as [Socket];
  t.teardown(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, client };
}

/** Gathers what a socket brings; `until` resolves when so much has come. */
function reader() {
  let text = '';
  let waiting: { length: number; resolve: () => void } | null = null;
  const memory = new Set<ArrayBufferLike>();
  return {
    memory,
    take: (chunk: Buffer): void => {
      memory.add(chunk.buffer);
      text += chunk.toString('latin1');
      if (waiting !== null && text.length >= waiting.length) waiting.resolve();
    },
    async until(length: number): Promise<string> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { length, resolve };
      if (text.length < length) await promise;
      return text;
    },
  };
}

for (const isTls of [false, true]) {
  const kind = isTls ? 'TLS' : 'TCP';

  test(`${kind}: all sockets are read into the same memory, on every Node that is supported`, async (t) => {
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 3; i++) {
      const { accepted, client } = await pair(t, isTls);
      const read = reader();
      readTo(accepted, read.take);
      for (let round = 1; round <= 3; round++) {
        client.write('x'.repeat(round));
        t.is(await read.until((round * (round + 1)) / 2), 'x'.repeat((round * (round + 1)) / 2));
      }
      for (const each of read.memory) memory.add(each);
    }
    t.is(memory.size, 1);
  });

  test(`${kind}: what is larger than the memory comes in pieces, whole and in order`, async (t) => {
    const { accepted, client } = await pair(t, isTls);
    const read = reader();
    readTo(accepted, read.take);
    const sent = Buffer.alloc(1_000_000, '0123456789abcdef!').toString('latin1');
    client.write(sent, 'latin1');
    t.true((await read.until(sent.length)) === sent);
  });

  test(`${kind}: a paused socket is not read, a resumed one goes on`, async (t) => {
    const { accepted, client } = await pair(t, isTls);
    const read = reader();
    readTo(accepted, (chunk) => {
      read.take(chunk);
      accepted.pause();
    });
    client.write('one');
    await read.until(3);
    t.true(accepted.isPaused());
    client.write('two');
    // Other sockets of the same loop are read meanwhile, into the same memory.
    const other = await pair(t, isTls);
    const another = reader();
    readTo(other.accepted, another.take);
    other.client.write('another');
    t.is(await another.until(7), 'another');
    accepted.resume();
    t.is(await read.until(6), 'onetwo');
  });

  test(`${kind}: whoever reads a socket next is given what comes, and the one before nothing more`, async (t) => {
    const { accepted, client } = await pair(t, isTls);
    const first = reader();
    const second = reader();
    readTo(accepted, (chunk) => {
      first.take(chunk);
      readTo(accepted, second.take);
    });
    client.write('one');
    t.is(await first.until(3), 'one');
    client.write('two');
    t.is(await second.until(3), 'two');
    t.is(await first.until(3), 'one');
    t.is(accepted.listenerCount('data'), 0);
  });

  test(`${kind}: the peer's end and its reset are heard of as ever`, async (t) => {
    const { accepted, client } = await pair(t, isTls);
    const read = reader();
    readTo(accepted, read.take);
    const ended = once(accepted, 'end');
    client.end('last');
    await ended;
    t.is(await read.until(4), 'last');
    t.true(accepted.writable, 'our side is open still');
    const closed = once(accepted, 'close');
    accepted.end();
    await closed;
    if (isTls) return;
    const { accepted: reset, client: rude } = await pair(t, isTls);
    readTo(reset, () => undefined);
    const failed = once(reset, 'error');
    rude.resetAndDestroy();
    t.is((await failed)[0].code, 'ECONNRESET');
  });
}

test('what a socket has read already comes first', async (t) => {
  const { accepted, client } = await pair(t);
  // As while nobody listens and it is read all the same.
  accepted.pause();
  accepted.unshift('before ');
  const read = reader();
  readTo(accepted, read.take);
  client.write('behind');
  t.is(await read.until(13), 'before behind');
});

test('a socket that is gone brings nothing, and does not throw', async (t) => {
  const { accepted } = await pair(t);
  const closed = once(accepted, 'close');
  accepted.destroy();
  t.notThrows(() => readTo(accepted, () => t.fail()));
  await closed;
});
