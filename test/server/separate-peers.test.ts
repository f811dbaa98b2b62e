/**
 * Peers whose requests differ little, in any order: none gets a field, an address or an identifier of another's.
 * What the server remembers of requests is found by all of its bytes, and these share most of them.
 */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { message, RawClient } from '../http1/raw.ts';
import { application, FileScope, type Scope, startServer, type TestServer } from './harness.ts';
import { connectHttp2, request } from './http2-client.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: { app: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
    requestId: {},
  });
});
test.after.always(() => scope.end());

type Pairs = readonly (readonly [name: string, value: string])[];

interface Answered {
  /** Of the head of the response. */
  readonly id: unknown;
  /** What the application has seen. */
  readonly seen: {
    readonly fields: Pairs;
    readonly version: string;
    readonly remote: { readonly port: number };
  };
}

interface Peer {
  readonly version: string;
  readonly port: number;
  ask(path: string, fields: Pairs): Promise<Answered>;
}

async function http1Peer(t: Scope): Promise<Peer> {
  const client = await RawClient.connect(t, server.port);
  const ask = async (path: string, pairs: Pairs) => {
    const lines = pairs.map(([name, value]) => `${name}: ${value}`);
    client.send(message([`GET ${path} HTTP/1.1`, 'Host: a', ...lines]));
    const { fields, body } = await client.response();
    return { id: fields['x-request-id'], seen: JSON.parse(body) };
  };
  return { version: '1.1', port: client.localPort, ask };
}

async function http2Peer(t: Scope): Promise<Peer> {
  const session = await connectHttp2(t, server.origin);
  const ask = async (path: string, fields: Pairs) => {
    const { headers, body } = await request(session, { ':path': path, ...Object.fromEntries(fields) });
    return { id: headers['x-request-id'], seen: JSON.parse(body.toString()) };
  };
  return { version: '2', port: session.socket.localPort ?? 0, ask };
}

/** Values that differ in one character, at a place that a hash of some of the bytes may not see. */
const secret = fc
  .record({ at: fc.integer({ min: 0, max: 39 }), by: fc.constantFrom('0', '1') })
  .map(({ at, by }) => `${'s'.repeat(at)}${by}${'s'.repeat(39 - at)}`);
const fields: fc.Arbitrary<Pairs> = fc.record({ secret, other: secret }).map((of) => [
  ['user-agent', 'the same for all'],
  ['authorization', of.secret],
  ['cookie', `session=${of.other}`],
  ['x-account', of.secret],
]);
/** Few sets of fields, and several requests of a peer with each, so that there is something to find again. */
const asked = fc.array(fields, { minLength: 1, maxLength: 3 }).chain((few) =>
  fc.array(
    fc.record({
      peer: fc.nat(3),
      path: fc.constantFrom('/describe', '/describe?a'),
      fields: fc.constantFrom(...few),
      times: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 5, maxLength: 15 },
  ),
);

test('property: no peer gets what another has sent, whatever they have in common, over HTTP/1.1 and HTTP/2', async (t) => {
  const peers = await Promise.all([http1Peer(t), http1Peer(t), http2Peer(t), http2Peer(t)]);
  const ids = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(asked, async (sequence) => {
      for (const { peer: index, path, fields: sent, times } of sequence) {
        const peer = peers[index] as Peer;
        for (let i = 0; i < times; i++) {
          const { id, seen } = await peer.ask(path, sent);
          const { fields: received, version, remote } = seen;
          const own = received.filter(([name]) => name !== 'x-request-id').sort();
          assert.deepEqual(own, sent.toSorted());
          assert.deepEqual([version, remote.port], [peer.version, peer.port]);
          assert.deepEqual(received.find(([name]) => name === 'x-request-id')?.[1], id);
          assert.ok(!ids.has(id), 'an identifier is of one request');
          ids.add(id);
        }
      }
    }),
    { numRuns: 40 },
  );
  t.true(ids.size >= 200);
});
