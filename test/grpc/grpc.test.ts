/** A Connect service in a thread, asked by gRPC's own client for Node, and by Connect's over the other protocols. */
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type CallOptions, Code, ConnectError, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import * as grpc from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { wholeOnly } from '../runner/whole-only.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';
import { Echo, type Text, TextSchema, text } from './echo-service.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/echo.ts', import.meta.url));
  server = await startServer(scope, { pools: { echo: { application, threads: { min: 1, max: 2 } } } });
});
test.after.always(() => scope.end());

const serialise = (value: Text): Buffer => Buffer.from(toBinary(TextSchema, value as never));
const deserialise = (bytes: Buffer): Text => fromBinary(TextSchema, bytes) as unknown as Text;
const definition = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.v1.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialise,
  requestDeserialize: deserialise,
  responseSerialize: serialise,
  responseDeserialize: deserialise,
});
const EchoClient = grpc.makeGenericClientConstructor(
  {
    unary: definition('Unary', false, false),
    server: definition('Server', false, true),
    client: definition('Client', true, false),
    bidi: definition('Bidi', true, true),
  },
  'Echo',
);

function connect(t: ExecutionContext): grpc.Client & Record<string, (...args: never[]) => never> {
  const client = new EchoClient(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  t.teardown(() => client.close());
  return client as never;
}

interface Answer {
  readonly error: grpc.ServiceError | null;
  readonly value: Text | undefined;
  readonly head: grpc.Metadata;
  readonly status: grpc.StatusObject;
}

/** A call with one response. `send` gives the requests of one that streams them. */
function call(
  client: ReturnType<typeof connect>,
  name: 'unary' | 'client',
  request: Text | null,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
  send?: (call: grpc.ClientWritableStream<Text>) => void,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let head = new grpc.Metadata();
  let result: Pick<Answer, 'error' | 'value'> | null = null;
  const callback = (error: grpc.ServiceError | null, value?: Text): void => {
    result = { error, value };
  };
  const args = request === null ? [metadata, options, callback] : [request, metadata, options, callback];
  const made = (client[name] as unknown as (...args: unknown[]) => grpc.ClientUnaryCall).apply(client, args);
  made.on('metadata', (metadata: grpc.Metadata) => {
    head = metadata;
  });
  made.on('status', (status: grpc.StatusObject) =>
    setImmediate(() => resolve({ ...(result as unknown as Answer), head, status })),
  );
  send?.(made as never);
  return promise;
}

interface Streamed {
  readonly values: Text[];
  readonly status: grpc.StatusObject;
}

function streamed(call: grpc.ClientReadableStream<Text>): Promise<Streamed> {
  const { promise, resolve } = Promise.withResolvers<Streamed>();
  const values: Text[] = [];
  call.on('data', (value: Text) => values.push(value));
  call.on('error', () => undefined);
  call.on('status', (status: grpc.StatusObject) => resolve({ values, status }));
  return promise;
}

function serverCall(
  client: ReturnType<typeof connect>,
  request: Text,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): grpc.ClientReadableStream<Text> {
  return (client.server as unknown as (...args: unknown[]) => never).call(client, request, metadata, options);
}

function bidiCall(client: ReturnType<typeof connect>): grpc.ClientDuplexStream<Text, Text> {
  return (client.bidi as unknown as () => never).call(client);
}

function listen(t: ExecutionContext): { signals: Signals; metadata: grpc.Metadata } {
  const signals = new Signals(`grpc ${t.title.replaceAll(/[^ -~]/g, '')}`);
  t.teardown(() => signals.close());
  const metadata = new grpc.Metadata();
  metadata.set(SIGNALS_FIELD, signals.name);
  return { signals, metadata };
}

test('a unary call has its value, and metadata before and behind it', async (t) => {
  const metadata = new grpc.Metadata();
  metadata.set('x-ask', 'this');
  const { error, value, head, status } = await call(connect(t), 'unary', text('one', 1), metadata);
  t.is(error, null);
  t.like(value, { text: 'one', count: 2 });
  t.deepEqual(head.get('x-head'), ['this']);
  t.is(status.code, grpc.status.OK);
  t.deepEqual(status.metadata.get('x-trailer'), ['behind']);
});

test('an error has its code, its message and its metadata; what the service threw stays there', async (t) => {
  const client = connect(t);
  const denied = await call(client, 'unary', text('denied'));
  t.like(denied.error, { code: grpc.status.PERMISSION_DENIED, details: 'not for "you"\näh' });
  t.deepEqual(denied.status.metadata.get('x-why'), ['because']);
  const thrown = await call(client, 'unary', text('throw'));
  t.like(thrown.error, { code: grpc.status.INTERNAL });
  t.false(thrown.error?.details.includes('secret'));
  const unknown = await new Promise<grpc.ServiceError | null>((resolve) =>
    client.makeUnaryRequest('/test.v1.Echo/Nothing', serialise, deserialise, text(''), (error) =>
      resolve(error),
    ),
  );
  t.is(unknown?.code, grpc.status.UNIMPLEMENTED);
});

test('a server stream arrives in order, with trailers, or with the error behind what came before', async (t) => {
  const client = connect(t);
  const { values, status } = await streamed(serverCall(client, text('s', 1_000)));
  t.deepEqual(
    values.map(({ count }) => count),
    Array.from({ length: 1_000 }, (_, n) => n),
  );
  t.is(status.code, grpc.status.OK);
  t.deepEqual(status.metadata.get('x-trailer'), ['behind']);
  const failed = await streamed(serverCall(client, text('denied', 5)));
  t.is(failed.values.length, 2);
  t.is(failed.status.code, grpc.status.PERMISSION_DENIED);
});

wholeOnly('a client stream is read to its end, and may be refused in its middle', async (t) => {
  const client = connect(t);
  const { value } = await call(client, 'client', null, undefined, {}, (stream) => {
    for (let n = 0; n < 100; n++) stream.write(text('x'));
    stream.end();
  });
  t.like(value, { text: 'x'.repeat(100), count: 100 });
  const refused = await call(client, 'client', null, undefined, {}, (stream) => {
    stream.on('error', () => undefined);
    stream.write(text('first'));
    stream.write(text('denied'));
  });
  t.is(refused.error?.code, grpc.status.PERMISSION_DENIED);
});

wholeOnly(
  'a bidirectional stream answers each message before the next is sent, and either side may end it',
  async (t) => {
    const client = connect(t);
    const stream = bidiCall(client);
    const status = new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve));
    for (let n = 0; n < 20; n++) {
      const answer = new Promise<Text>((resolve) => stream.once('data', resolve));
      stream.write(text('ping', n));
      t.like(await answer, { text: 'ping', count: n + 1 });
    }
    stream.end();
    t.is((await status).code, grpc.status.OK);

    const ended = bidiCall(client);
    const over = streamed(ended);
    ended.write(text('one'));
    ended.write(text('enough'));
    t.like(await over, { values: [{ text: 'one' }], status: { code: grpc.status.OK } });
  },
);

test('a deadline reaches the service, which says that it has passed', async (t) => {
  const { signals, metadata } = listen(t);
  const aborted = signals.until('aborted DeadlineExceeded');
  // As a deadline of the client's would say it, which would also end the call at the client, and nobody knows which comes first.
  metadata.set('grpc-timeout', '300m');
  const answer = await call(connect(t), 'unary', text('wait'), metadata);
  t.is(answer.error?.code, grpc.status.DEADLINE_EXCEEDED);
  await aborted;
});

wholeOnly('a deadline of the client ends its call on both sides', async (t) => {
  const { signals, metadata } = listen(t);
  const aborted = Promise.race([signals.until('aborted DeadlineExceeded'), signals.until('aborted')]);
  // On a busy machine a deadline may pass before the service has heard of the call.
  for (let afterMs = 500; signals.heard('waiting') === 0; afterMs *= 2) {
    const options = { deadline: Date.now() + afterMs };
    const answer = await call(connect(t), 'unary', text('wait'), metadata, options);
    t.is(answer.error?.code, grpc.status.DEADLINE_EXCEEDED);
  }
  await aborted;
});

test('a client that cancels aborts the service’s signal', async (t) => {
  const { signals, metadata } = listen(t);
  const waiting = signals.until('waiting');
  const aborted = signals.until('aborted');
  const stream = serverCall(connect(t), text('wait', 3), metadata);
  const over = streamed(stream);
  await waiting;
  stream.cancel();
  t.is((await over).status.code, grpc.status.CANCELLED);
  await aborted;
});

wholeOnly('messages of 4 MB cross both ways', async (t) => {
  const large = 'm'.repeat(4_000_000);
  const { value } = await call(connect(t), 'unary', text(large));
  t.true(value?.text === large);
});

wholeOnly('a hundred calls at once are answered apart', async (t) => {
  const client = connect(t);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => call(client, 'unary', text(`call ${n}`, n))),
  );
  t.deepEqual(
    answers.map(({ value }) => [value?.text, value?.count]),
    answers.map((_, n) => [`call ${n}`, n + 1]),
  );
});

wholeOnly('a long stream that is read slowly arrives whole', async (t) => {
  const stream = serverCall(connect(t), text('y'.repeat(10_000), 1_000));
  let count = 0;
  for await (const value of stream as AsyncIterable<Text>) {
    if (value.count !== count) t.fail(`${value.count} in the place of ${count}`);
    count++;
    // Reading stops for a turn, so that what is not read has to wait somewhere.
    if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(count, 1_000);
});

const transports = {
  'gRPC over HTTP/2': () => createGrpcTransport({ baseUrl: server.origin }),
  'gRPC-Web over HTTP/1.1': () => createGrpcWebTransport({ baseUrl: server.origin, httpVersion: '1.1' }),
  'gRPC-Web over HTTP/2': () => createGrpcWebTransport({ baseUrl: server.origin, httpVersion: '2' }),
  'Connect over HTTP/1.1': () => createConnectTransport({ baseUrl: server.origin, httpVersion: '1.1' }),
  'Connect over HTTP/2': () => createConnectTransport({ baseUrl: server.origin, httpVersion: '2' }),
};

for (const [name, transport] of Object.entries(transports)) {
  test(`${name}: the service answers Connect's own client`, async (t) => {
    const client = createClient(Echo as never, transport()) as unknown as {
      unary(request: Text, options?: CallOptions): Promise<Text>;
      server(request: Text): AsyncIterable<Text>;
      bidi(requests: AsyncIterable<Text>): AsyncIterable<Text>;
    };
    let trailer = '';
    const value = await client.unary(text('one', 1), {
      onTrailer: (trailers) => {
        trailer = trailers.get('x-trailer') ?? '';
      },
    });
    t.like(value, { text: 'one', count: 2 });
    t.is(trailer, 'behind');
    const error = await t.throwsAsync(client.unary(text('denied')), { instanceOf: ConnectError });
    t.is(error.code, Code.PermissionDenied);
    const values: number[] = [];
    for await (const { count } of client.server(text('s', 5))) values.push(count);
    t.deepEqual(values, [0, 1, 2, 3, 4]);
    if (!name.endsWith('HTTP/2')) return;
    const answers: number[] = [];
    const requests = (async function* () {
      for (let n = 0; n < 3; n++) yield text('b', n);
    })();
    for await (const { count } of client.bidi(requests)) answers.push(count);
    t.deepEqual(answers, [1, 2, 3]);
  });
}
