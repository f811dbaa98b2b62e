/**
 * No exchange runs in the async context of another. A service keeps the user of a request there (`AsyncLocalStorage`), so what
 * crosses from one to the next is the authority of somebody else.
 */
import { Agent } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { data, headers, RawHttp2, requestHead, rstStream } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { startContextServer, users } from './context-server.ts';

const KINDS = ['exchange', 'generator', 'handler', 'node', 'server', 'express', 'fastify', 'fetch'];
const ROUNDS = 5;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startContextServer(scope, KINDS, 'websocket');
});
test.after.always(() => scope.end());

function check(t: ExecutionContext, answers: readonly string[], contexts: Set<string>): void {
  for (const [index, answer] of answers.entries()) {
    const { found, context, then } =
      /^(?<found>.*) in (?<context>\d+), then (?<then>.*)$/.exec(answer)?.groups ?? {};
    t.is(found, 'nobody', answer);
    t.is(then, users[index] ?? 'somebody', answer);
    // What is keyed by Node's own numbers is kept apart as well.
    t.false(contexts.has(context as string), `context ${context} served two exchanges`);
    contexts.add(context as string);
  }
}

for (const kind of KINDS) {
  test(`${kind}: concurrent streams of one connection each begin in a context of their own`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const contexts = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(
        users.map((user) =>
          request(session, { ':path': `/${kind}/`, ...(user !== undefined && { 'x-user': user }) }),
        ),
      );
      check(
        t,
        answers.map(({ body }) => body.toString()),
        contexts,
      );
    }
  });

  test(`${kind}: concurrent connections of HTTP/1.1 each begin in a context of their own`, async (t) => {
    const agent = new Agent({ keepAlive: true });
    t.teardown(() => agent.destroy());
    const contexts = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(
        users.map((user) =>
          requestHttp1(`${server.origin}/${kind}/`, {
            agent,
            headers: user === undefined ? {} : { 'x-user': user },
          }),
        ),
      );
      check(
        t,
        answers.map(({ body }) => body.toString()),
        contexts,
      );
    }
  });
}

test('WebSockets on one thread each keep their own context from message to message', async (t) => {
  const sockets = ['ann', 'ben', 'cid'].map((user) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/websocket`, { headers: { 'x-user': user } });
    t.teardown(() => socket.terminate());
    return { user, socket };
  });
  await Promise.all(sockets.map(({ socket }) => new Promise((resolve) => socket.on('open', resolve))));
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all(
      sockets.map(({ socket }) => {
        const answer = new Promise<string>((resolve) =>
          socket.once('message', (message) => resolve(String(message))),
        );
        socket.send(`round ${round}`);
        return answer;
      }),
    );
    for (const [index, { user }] of sockets.entries()) {
      t.regex(answers[index] as string, new RegExp(`^round ${round}: nobody in \\d+, then ${user}$`));
    }
  }
});

test('the abort listeners of exchanges that are cut off in one packet each run in their own context', async (t) => {
  const { signals, port } = server;
  const client = await RawHttp2.connect(t, port);
  const ids = Array.from({ length: 20 }, (_, index) => 2 * index + 1);
  const head = (id: number) =>
    requestHead('POST', '/exchange/cut', { 'x-user': `user${id}`, [SIGNALS_FIELD]: signals.name });
  client.send(...ids.map((id) => headers(id, head(id), false)));
  await signals.until('waits', ids.length);
  client.send(...ids.flatMap((id) => [data(id, 'some'), rstStream(id, 0x8)]));
  await signals.until('cut', ids.length);
  t.is(signals.heard('a context of its own'), ids.length);
});

test('the listeners of a drain each run in their own context', async (t) => {
  const {
    origin,
    signals,
    server: draining,
  } = await startServer(t, {
    pools: {
      exchange: { application: application('faults', 'contexts/exchange'), threads: { min: 1, max: 1 } },
    },
  });
  const session = await connectHttp2(t, origin);
  const asked = Array.from({ length: 20 }, (_, index) =>
    request(session, { ':path': '/drain', 'x-user': `user${index}`, [SIGNALS_FIELD]: signals.name }),
  );
  await signals.until('waits', asked.length);
  const drained = draining.drain();
  for (const [index, answer] of asked.entries()) {
    // Node 22 gives a listener what its own exchange has entered, later lines the context it began with.
    t.regex((await answer).body.toString(), new RegExp(`^(nobody|user${index}) in \\d+$`));
  }
  await drained;
});
