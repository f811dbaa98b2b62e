/** Mutual TLS: which clients are admitted, and what the application learns about them. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttps, request as sendHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import socketWho from './applications/socket-who.ts';
import { type Issued, TestAuthority, TestFiles } from './authority.ts';
import { type SeenTls, seenIn, who } from './who.ts';

const scope = new FileScope();
let server: TestServer;
let ports: number[];
let ours: TestAuthority;
let alice: Issued;
let mallory: Issued;
let large: Issued;

const Required = 0;
const Asked = 1;
const NotAsked = 2;

test.before(async () => {
  ours = await TestAuthority.create();
  const theirs = await TestAuthority.create('Another CA');
  const files = new TestFiles(scope);
  const certificates = [files.certificate('server', await ours.issue({ names: ['localhost'] }))];
  const ca = [files.write('ca.pem', ours.cert)];
  const asks = { certificates, requestCert: true, ca, maxClientCertificateBytes: 2_048 };
  alice = await ours.issue({ subject: 'alice' });
  mallory = await theirs.issue({ subject: 'mallory' });
  large = await ours.issue({ subject: 'large', paddingBytes: 2_048 });
  server = await startServer(scope, {
    listeners: [
      { address: '127.0.0.1:0', tls: asks },
      { address: '127.0.0.1:0', tls: { ...asks, rejectUnauthorized: false } },
      { address: '127.0.0.1:0', tls: { certificates } },
    ],
    pools: {
      who,
      node: { application: fileURLToPath(new URL('applications/socket-who.ts', import.meta.url)) },
    },
  });
  const lines = server.log.lines.filter(({ msg }) => msg?.startsWith('listening on https'));
  ports = lines.map(({ address }) => Number(String(address).split(':').at(-1)));
});
test.after.always(() => scope.end());

function connect(listener: number, client: Issued | null, options: ConnectionOptions = {}): TLSSocket {
  return connectTls({
    port: ports[listener],
    host: '127.0.0.1',
    ca: ours.cert,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ...(client !== null && { cert: client.cert, key: client.key }),
    ...options,
  });
}

/** What the application learns, or null if the connection is refused. */
async function learned(
  listener: number,
  client: Issued | null,
  options?: ConnectionOptions,
): Promise<SeenTls | null> {
  const body = await answered(listener, client, '/', options);
  return body === null ? null : seenIn(body).tls;
}

async function answered(
  listener: number,
  client: Issued | null,
  path: string,
  options?: ConnectionOptions,
): Promise<Buffer | null> {
  const socket = connect(listener, client, options);
  // TLS 1.2 reports a refusal during the handshake, TLS 1.3 after it.
  const secured = once(socket, 'secureConnect').then(
    () => true,
    () => false,
  );
  if (!(await secured)) return null;
  const origin = `https://localhost:${ports[listener]}`;
  const session = await connectHttp2({ teardown: () => {} }, origin, { createConnection: () => socket });
  const { status, body } = await request(session, { ':path': path });
  session.destroy();
  return status === 200 ? body : null;
}

for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
  test(`a client with a certificate of the CA is admitted, and the application sees its identity, over ${maxVersion}`, async (t) => {
    const tls = await learned(Required, alice, { maxVersion });
    t.like(tls, { version: maxVersion, authorized: true });
    t.like(tls?.clientCertificate, {
      subject: 'CN=alice',
      issuer: 'CN=Test CA',
      fingerprint256: alice.fingerprint256,
      pem: alice.cert,
    });
    t.true((tls?.clientCertificate?.rawBytes ?? 0) > 200);
  });

  test(`a client without a certificate of the CA is not admitted over ${maxVersion}`, async (t) => {
    t.is(await learned(Required, null, { maxVersion }), null);
    t.is(await learned(Required, mallory, { maxVersion }), null);
  });
}

test('if certificates are requested but not required, the application decides', async (t) => {
  t.like(await learned(Asked, alice), { authorized: true, clientCertificate: { subject: 'CN=alice' } });
  t.like(await learned(Asked, mallory), { authorized: false, clientCertificate: { subject: 'CN=mallory' } });
  t.like(await learned(Asked, null), { authorized: false, clientCertificate: null });
});

test('the socket of a Node handler lacks an authorizationError only for an authorized client', async (t) => {
  const said = async (listener: number, client: Issued | null): Promise<unknown> =>
    JSON.parse(String(await answered(listener, client, '/node/')));
  t.deepEqual(await said(Asked, alice), { authorized: true, authorizationError: null });
  t.deepEqual(await said(Asked, mallory), { authorized: false, authorizationError: 'CERT_UNTRUSTED' });
  t.deepEqual(await said(Asked, null), {
    authorized: false,
    authorizationError: 'UNABLE_TO_GET_ISSUER_CERT',
  });
});

test('a Node handler sees every member of a client certificate that it sees on node:https', async (t) => {
  const issued = await ours.issue({ subject: 'server', names: ['localhost'] });
  const https = createHttps(
    { ...issued, ca: ours.cert, requestCert: true, rejectUnauthorized: false },
    socketWho,
  ).listen(0, '127.0.0.1');
  t.teardown(() => https.close());
  await once(https, 'listening');
  const { port } = https.address() as AddressInfo;
  for (const client of [alice, mallory, null]) {
    const request = sendHttps({
      port,
      host: '127.0.0.1',
      path: '/certificate',
      rejectUnauthorized: false,
      agent: false,
      ...(client !== null && { cert: client.cert, key: client.key }),
    }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const expected = JSON.parse(Buffer.concat(await response.toArray()).toString());
    if (client !== null)
      t.like(expected.certificate, { subject: { CN: client === alice ? 'alice' : 'mallory' } });
    t.deepEqual(JSON.parse(String(await answered(Asked, client, '/node/certificate'))), expected);
  }
});

test('a certificate that was not requested is not sent', async (t) => {
  t.like(await learned(NotAsked, alice), { authorized: false, clientCertificate: null });
});

test('a client certificate over the limit closes the connection', async (t) => {
  t.is(await learned(Required, large), null);
  t.truthy(await server.log.until('connection refused', ({ refusal }) => refusal === 'client-certificate'));
});

test('a resumed session keeps its identity, and one without a certificate never gains one', async (t) => {
  const sessionOf = async (listener: number, client: Issued | null): Promise<Buffer> => {
    const socket = connect(listener, client);
    const [session] = await once(socket, 'session');
    socket.destroy();
    return session as Buffer;
  };
  const resumed = await learned(Required, alice, { session: await sessionOf(Required, alice) });
  t.like(resumed, { authorized: true, clientCertificate: { subject: 'CN=alice' } });
  // A session from a listener that requests no certificate, or admits any client, is worthless here.
  t.is(await learned(Required, null, { session: await sessionOf(NotAsked, null) }), null);
  t.is(await learned(Required, null, { session: await sessionOf(Asked, null) }), null);
});
