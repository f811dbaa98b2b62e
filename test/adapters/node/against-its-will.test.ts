/** What a client does to an application in the middle of things: it gives up, it sends what nobody reads, it keeps its connection. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../../runtime/http2/frames.ts';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import * as frames from '../../server/raw-http2.ts';
import { errorCode, RawHttp2, requestHead } from '../../server/raw-http2.ts';
import { ways } from '../ways.ts';
import { careless, refusedUploads, uploads } from './applications/careless.ts';
import { type Address, startReference } from './reference.ts';

const ROUNDS = 25;
const CANCEL = 0x8;

const scope = new FileScope();
let server: TestServer;
let reference: Record<string, Address>;
let thread: string;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/careless.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { careless: { application, threads: { min: 1, max: 1 } } },
  });
  reference = await startReference(scope, careless);
  thread = await threadOf();
});
test.after.always(() => scope.end());

async function threadOf(): Promise<string> {
  return (await requestHttp1(`${server.origin}/ask/thread`)).body.toString();
}

for (const step of Object.keys(uploads)) {
  test(`${step}: the last bytes and a reset come in one packet over HTTP/2`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    let id = 1;
    // Answered by the thread after it has called the application for what was asked before.
    const caughtUp = async (): Promise<void> => {
      const streamId = id;
      id += 2;
      client.send(frames.headers(streamId, requestHead('GET', '/ask/thread'), true));
      await client.until((frame) => frame.streamId === streamId && (frame.flags & 1) === 1);
    };
    for (let round = 0; round < ROUNDS; round++) {
      const streamId = id;
      id += 2;
      client.send(frames.headers(streamId, requestHead('POST', `/in${step}`), false));
      await caughtUp();
      client.send(frames.data(streamId, 'hello'), frames.rstStream(streamId, CANCEL));
      await caughtUp();
    }
    t.is(await threadOf(), thread);
  });

  test(`${step}: the last bytes and a reset of the connection follow each other over HTTP/1.1`, async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const socket = await opened(t);
      socket.write(`POST /in${step} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n`);
      await threadOf();
      socket.write('5\r\nhello\r\n');
      socket.resetAndDestroy();
      await threadOf();
    }
    t.is(await threadOf(), thread);
  });
}

for (const step of Object.keys(refusedUploads)) {
  test(`${step}: an upload that was answered is read no further, over HTTP/2`, async (t) => {
    const client = await RawHttp2.connect(t, server.port);
    client.send(frames.headers(1, requestHead('POST', `/in${step}`), false), frames.data(1, 'hello'));
    const reset = await client.untilFrame(FrameType.RstStream, 1);
    t.is(errorCode(reset), 0, 'NO_ERROR: the response is whole');
    const head = await client.untilFrame(FrameType.Headers, 1);
    t.is(client.decode(head).get(':status'), '403');
    t.is(client.dataBytes, 'not allowed'.length);
    t.is(await threadOf(), thread);
  });

  test(`${step}: an upload that was answered is read no further, over HTTP/1.1`, async (t) => {
    const socket = await opened(t);
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    socket.write(
      `POST /in${step} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    );
    await once(socket, 'end');
    t.regex(text, /^HTTP\/1\.1 403 .*not allowed/s);
    t.is(await threadOf(), thread);
  });
}

async function opened(t: ExecutionContext): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

for (const version of Object.keys(ways)) {
  test(`an upload of 2 MB that is no gzip is answered before it was read, over HTTP/${version}`, async (t) => {
    // No gzip begins so.
    const body = 'x'.repeat(2_000_000);
    const way = (ways[version] as (typeof ways)[string])(server);
    for (let round = 0; round < 3; round++) {
      // A client that goes on sending may meet a closed connection, with node:http as well.
      const seen = await way.ask(t, '/in/pipeline-gunzip', { method: 'POST', body }).catch(() => null);
      if (version === '2.0') t.like(seen, { status: 507, body: 'not stored: Z_DATA_ERROR', how: 'whole' });
    }
    t.is(await threadOf(), thread);
  });
}

class CountingAgent extends Agent {
  made = 0;

  override createConnection(
    ...args: Parameters<Agent['createConnection']>
  ): ReturnType<Agent['createConnection']> {
    this.made++;
    return super.createConnection(...args);
  }
}

test('a connection goes on behind an upload that was answered and not read, as with node:http', async (t) => {
  const connectionsTo = async ({ origin }: Address): Promise<number> => {
    const agent = new CountingAgent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    for (const step of ['/pipeline-file', '/break', '/web-cancel', '/take', '/undici']) {
      const answer = await requestHttp1(`${origin}/in${step}`, { method: 'POST', body: 'hello', agent });
      t.regex(answer.body.toString(), /stored/);
    }
    await requestHttp1(`${origin}/ask/thread`, { agent });
    return agent.made;
  };
  t.is(await connectionsTo(server), await connectionsTo(reference['1.1'] as Address));
});
