/** SIGTERM and SIGINT: no new exchanges, open ones finish, then the process ends; or the deadline ends it. */

import { once } from 'node:events';
import { Agent, type IncomingMessage, request as sendHttp1 } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { application, startServer } from './harness.ts';
import { requestHttp1 } from './http1-client.ts';
import { type Answer, answer, connectHttp2, request } from './http2-client.ts';
import { startProcess } from './process.ts';
import { errorCode, headers, ping, RawHttp2, requestHead, windowUpdate } from './raw-http2.ts';
import { SIGNALS_FIELD } from './signals.ts';

const pools = { messages: { application: application('server', 'messages'), threads: { max: 1 } } };

/** An exchange that an application has begun, and which goes on until the body ends. */
interface OpenExchange<Result> {
  end(): void;
  readonly result: Promise<Result>;
}

async function openHttp2(session: ClientHttp2Session): Promise<OpenExchange<Answer>> {
  const stream = session.request({ ':method': 'POST', ':path': '/echo' });
  const result = answer(stream);
  stream.write('content');
  await once(stream, 'data');
  return { result, end: () => stream.end() };
}

async function openHttp1(origin: string, agent: Agent): Promise<OpenExchange<'whole' | 'cut'>> {
  const outgoing = sendHttp1(`${origin}/echo`, { method: 'POST', agent });
  outgoing.on('error', () => undefined);
  outgoing.write('content');
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  await once(response, 'data');
  response.on('error', () => undefined);
  const closed = new Promise((resolve) => response.once('close', resolve));
  response.resume();
  return { end: () => outgoing.end(), result: closed.then(() => (response.complete ? 'whole' : 'cut')) };
}

function keepAlive(t: ExecutionContext): Agent {
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  return agent;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.serial(
    `${signal} lets open exchanges finish over both versions, refuses new connections and ends with 0`,
    async (t) => {
      const { child, listening, log, ended } = startProcess(t, { pools });
      const origin = await listening();
      const session = await connectHttp2(t, origin);
      const goaway = once(session, 'goaway');
      const http2 = await openHttp2(session);
      const http1 = await openHttp1(origin, keepAlive(t));
      child.kill(signal);
      await log.until('draining');
      await goaway;
      const refused = connect(Number(new URL(origin).port), '127.0.0.1');
      const [error] = await once(refused, 'error');
      t.is((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
      http2.end();
      t.like(await http2.result, { status: 200, resetCode: 0, how: 'whole' });
      http1.end();
      t.is(await http1.result, 'whole');
      t.deepEqual(await ended, { code: 0, signal: null });
      t.truthy(log.find('stopped'));
      t.is(log.find('deadline'), undefined);
    },
  );

  test.serial(`a second ${signal} ends the process at once`, async (t) => {
    const { child, listening, log, endBySecond } = startProcess(t, { pools });
    const http2 = await openHttp2(await connectHttp2(t, await listening()));
    child.kill(signal);
    await log.until('draining');
    t.deepEqual(await endBySecond(signal), { code: signal === 'SIGINT' ? 130 : 143, signal: null });
    t.is((await http2.result).how, 'cut');
  });
}

test.serial('open exchanges are reset at the deadline, and the process ends with 0', async (t) => {
  const { child, listening, log, ended } = startProcess(t, { pools, drainTimeoutMs: 100 });
  const origin = await listening();
  const http2 = await openHttp2(await connectHttp2(t, origin));
  const http1 = await openHttp1(origin, keepAlive(t));
  child.kill('SIGTERM');
  await log.until('drain deadline reached');
  t.deepEqual(await ended, { code: 0, signal: null });
  t.is((await http2.result).how, 'cut');
  t.is(await http1.result, 'cut');
});

test.serial(
  'at the deadline a client hears which exchanges were cut off, and which it may send again (RFC 9113 section 8.7)',
  async (t) => {
    const { server, port, signals } = await startServer(t, {
      pools: {
        staged: { application: application('server', 'staged'), threads: { max: 1 }, exchangesPerThread: 1 },
      },
      drainTimeoutMs: 100,
    });
    const client = await RawHttp2.connect(t, port);
    const head = requestHead('GET', '/wait', { [SIGNALS_FIELD]: signals.name });
    client.send(headers(1, head, true));
    await signals.until('begun');
    client.send(headers(3, head, true), ping('in order'));
    await client.until(({ type, flags }) => type === FrameType.Ping && (flags & Flag.Ack) !== 0);
    const draining = server.drain();
    await client.closed;
    await draining;
    const resets = client.frames.filter(({ type }) => type === FrameType.RstStream);
    t.deepEqual(resets.map((frame) => [frame.streamId, errorCode(frame)]).sort(), [
      [1, 0x8],
      [3, 0x7],
    ]);
    const goaway = client.frames.findLast(({ type }) => type === FrameType.Goaway);
    t.deepEqual([errorCode(goaway!), goaway!.payload.readUInt32BE(0)], [0, 3]);
    t.is(server.deadlineCounters.drain, 2);
  },
);

test.serial(
  'at the deadline a response over HTTP/1.0 that ends with its connection is not ended but reset',
  async (t) => {
    const { server, port, signals } = await startServer(t, {
      pools: { staged: { application: application('server', 'staged'), threads: { max: 1 } } },
      drainTimeoutMs: 100,
    });
    const socket = connect(port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    let ended = false;
    socket.once('end', () => {
      ended = true;
    });
    socket.write(`GET /stream HTTP/1.0\r\nhost: test\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`);
    await once(socket, 'data');
    socket.resume();
    const draining = server.drain();
    t.is((await failed).code, 'ECONNRESET');
    t.false(ended);
    await draining;
  },
);

test.serial('a peer that does not read holds up the end no longer than the deadline', async (t) => {
  const { server, port } = await startServer(t, {
    pools: { messages: pools.messages },
    drainTimeoutMs: 100,
  });
  const client = await RawHttp2.connect(t, port, { settings: { 4: 2 ** 31 - 1 }, reads: false });
  client.send(windowUpdate(0, 2 ** 30), headers(1, requestHead('GET', '/bytes?count=100000000'), true));
  await server.drain();
  t.pass();
});

test.serial('idle keep-alive connections do not hold up the end', async (t) => {
  const { child, listening, ended, log } = startProcess(t, { pools });
  const origin = await listening();
  const agent = keepAlive(t);
  await requestHttp1(`${origin}/hello`, { agent });
  const session = await connectHttp2(t, origin);
  await request(session, { ':path': '/hello' });
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
  t.is(log.find('deadline'), undefined);
});

test.serial(
  'a request that crosses with the first GOAWAY is served; the second GOAWAY names the last stream (RFC 9113 section 6.8)',
  async (t) => {
    const { server, port } = await startServer(t, { pools: { messages: pools.messages } });
    const client = await RawHttp2.connect(t, port);
    await client.untilFrame(FrameType.Settings, 0);
    const draining = server.drain();
    client.onFrame = (frame) => {
      if (frame.type !== FrameType.Goaway || frame.payload.readUInt32BE(0) !== 0x7fff_ffff) return;
      client.send(headers(1, requestHead('GET', '/hello'), true));
    };
    const last = await client.until(
      ({ type, payload }) => type === FrameType.Goaway && payload.readUInt32BE(0) === 1,
    );
    t.is(errorCode(last), 0);
    await client.until(({ type, flags }) => type === FrameType.Data && (flags & Flag.EndStream) !== 0);
    t.is(client.decode(await client.untilFrame(FrameType.Headers, 1)).get(':status'), '200');
    await draining;
  },
);

test.serial(
  'a peer that reads slowly still gets the whole of its response after the drain began',
  async (t) => {
    const { server, port } = await startServer(t, { pools: { messages: pools.messages } });
    const count = 8_000_000;
    const client = await RawHttp2.connect(t, port, { settings: { 4: count }, keep: false });
    client.send(windowUpdate(0, count), headers(1, requestHead('GET', `/bytes?count=${count}`), true));
    const frames: number[] = [];
    const begun = Promise.withResolvers<void>();
    let ended = false;
    client.onFrame = ({ type, flags, streamId }) => {
      frames.push(type);
      if (streamId === 1 && (flags & Flag.EndStream) !== 0) ended = true;
      if (type === FrameType.Data) begun.resolve();
    };
    await begun.promise;
    client.socket.pause();
    const draining = server.drain();
    client.socket.resume();
    await draining;
    await client.closed;
    t.is(client.dataBytes, count);
    t.true(ended);
  },
);

test.serial('an exchange that is open while its server drains may still stream both ways', async (t) => {
  const { server, origin } = await startServer(t, { pools: { messages: pools.messages } });
  const session = await connectHttp2(t, origin);
  const stream = session.request({ ':method': 'POST', ':path': '/echo' });
  const answered = answer(stream);
  stream.write('before ');
  await once(stream, 'data');
  const goaway = once(session, 'goaway');
  const draining = server.drain();
  await goaway;
  stream.end('after');
  t.is((await answered).body.toString(), 'before after');
  await draining;
});

test.serial(
  'an HTTP/1.1 response that is given while the server drains says that its connection closes',
  async (t) => {
    const { server, origin, signals } = await startServer(t, {
      pools: { staged: { application: application('server', 'staged'), threads: { max: 1 } } },
    });
    const agent = keepAlive(t);
    const asked = requestHttp1(`${origin}/wait`, { agent, headers: { [SIGNALS_FIELD]: signals.name } });
    await signals.until('begun');
    const draining = server.drain();
    signals.tell('release');
    const { body, headers: fields } = await asked;
    t.is(body.toString(), 'released');
    t.is(fields.connection, 'close');
    await draining;
  },
);
