/** A Node handler as an application as a Node handler again: what is lost on neither way, on servers of node:http and node:http2. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as sendHttp1 } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { connect, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { fromNode } from '../../../workers/adapters/node/from-node.ts';
import { type ToNodeOptions, toNode } from '../../../workers/adapters/node/to-node.ts';
import type { Application } from '../../../workers/gateway.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { ways } from '../ways.ts';
import { type Address, listen } from './reference.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;
const VERSIONS = ['1.1', '2.0'] as const;

/** `toNode(fromNode(handler))` would be the handler itself; a function between them keeps both. */
function stacked(handler: Handler, options?: ToNodeOptions) {
  const application = fromNode(handler);
  return toNode((exchange) => application(exchange), options);
}

function serve(t: ExecutionContext, listener: ReturnType<typeof toNode>, version = '1.1'): Promise<Address> {
  const server = version === '1.1' ? createServer(listener) : createHttp2(listener);
  // By itself it closes what is idle.
  return listen(t, Object.assign(server as Server, { keepAliveTimeout: 0 }));
}

function bodyOf(t: ExecutionContext, address: Address, version: string, method = 'GET', headers = {}) {
  const way = (ways[version] as (typeof ways)[string])(address);
  return way.ask(t, '/', { method, headers }).then(({ body }) => JSON.parse(body));
}

for (const version of VERSIONS) {
  test(`a request without a body has none over HTTP/${version}`, async (t) => {
    const address = await serve(
      t,
      stacked((req, res) => {
        const { 'transfer-encoding': coding = null, 'content-length': length = null } = req.headers;
        res.end(JSON.stringify([coding, length, req.complete]));
      }),
      version,
    );
    for (const method of ['GET', 'DELETE', 'POST']) {
      const [coding, , isComplete] = await bodyOf(t, address, version, method);
      t.deepEqual([coding, isComplete], [null, true], method);
    }
  });

  test(`a request without a body has no trailers to wait for over HTTP/${version}`, async (t) => {
    const application: Application = async (exchange) => {
      const trailers = [...(await exchange.trailers)];
      exchange.respond(200, {}, JSON.stringify(trailers));
    };
    t.deepEqual(await bodyOf(t, await serve(t, toNode(application), version), version), []);
  });

  test(`a field named trailer without trailers harms no response over HTTP/${version}`, async (t) => {
    const listener = stacked((_req, res) => {
      res.setHeader('Trailer', 'x-sum');
      res.end('"whole"');
    });
    t.is(await bodyOf(t, await serve(t, listener, version), version), 'whole');
  });
}

test('fields that Connection names stay on their connection', async (t) => {
  const address = await serve(
    t,
    stacked((req, res) => res.end(JSON.stringify([req.headers['x-hop'] ?? null, req.headers['x-end']]))),
  );
  const headers = { connection: 'X-Hop, keep-alive', 'x-hop': 'mine', 'x-end': 'yours' };
  t.deepEqual(await bodyOf(t, address, '1.1', 'GET', headers), [null, 'yours']);
});

test('what the socket says may be set, as tests do', async (t) => {
  const listener = stacked((req, res) => {
    Object.assign(req.socket, { encrypted: true, remoteAddress: '10.0.0.1' });
    const { encrypted, remoteAddress } = req.socket as never as { [name: string]: unknown };
    res.end(JSON.stringify([encrypted, remoteAddress]));
  });
  t.deepEqual(await bodyOf(t, await serve(t, listener), '1.1'), [true, '10.0.0.1']);
});

test('a response has no length when its handler has framed it or taken the length away', async (t) => {
  const address = await serve(
    t,
    stacked((req, res) => {
      if (req.headers['x-do'] === 'frame') res.setHeader('Transfer-Encoding', 'chunked');
      else if (req.headers['x-do'] === 'remove') res.removeHeader('Content-Length');
      else if (req.headers['x-do'] === 'again') {
        res.removeHeader('Content-Length');
        res.setHeader('Content-Length', 4);
      }
      res.end('body');
    }),
  );
  const lengthOf = async (step: string) => {
    const { headers } = await requestHttp1(`${address.origin}/`, { headers: { 'x-do': step } });
    return headers['content-length'] ?? null;
  };
  t.deepEqual(await Promise.all(['frame', 'remove', 'again', 'nothing'].map(lengthOf)), [
    null,
    null,
    '4',
    '4',
  ]);
});

test('what is no HTTP behind the head ends the socket with an error, and the request as aborted', async (t) => {
  const events: string[] = [];
  const closed = Promise.withResolvers<boolean>();
  const listener = stacked((req) => {
    req.on('error', (error: NodeJS.ErrnoException) => events.push(`req ${error.code}`));
    req.socket.on('error', (error: NodeJS.ErrnoException) => events.push(`socket ${error.code}`));
    req.socket.on('close', closed.resolve);
    req.resume();
  });
  const { port } = await serve(t, listener);
  const client = connect(port, '127.0.0.1');
  t.teardown(() => client.destroy());
  client.write('POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n');
  t.true(await closed.promise);
  t.deepEqual(events.sort(), ['req ECONNRESET', 'socket HPE_INVALID_CHUNK_SIZE']);
});

test('what is cut off in the turn of its head has sent nothing, as on node:http', async (t) => {
  const handler: Handler = (_req, res) => {
    res.writeHead(200);
    res.write('some');
    res.destroy();
  };
  for (const listener of [handler, stacked(handler)]) {
    const { origin } = await serve(t, listener as never);
    await t.throwsAsync(requestHttp1(`${origin}/`), { code: 'ECONNRESET' });
  }
});

for (const reads of ['nothing', 'a piece']) {
  test(`a client that does not end its upload loses its connection behind the response, ${reads} was read`, async (t) => {
    const application: Application = async (exchange) => {
      if (reads === 'a piece') for await (const _ of exchange.body) break;
      exchange.respond(200, {}, 'enough');
    };
    const { origin } = await serve(t, toNode(application, { discardTimeoutMs: 1 }));
    const headers = { connection: 'keep-alive' };
    const client = sendHttp1(`${origin}/`, { method: 'POST', agent: false, headers });
    t.teardown(() => client.destroy());
    client.write('some');
    const [response] = await once(client, 'response');
    t.is((await response.setEncoding('utf8').toArray()).join(''), 'enough');
    await once(client, 'close');
  });
}
