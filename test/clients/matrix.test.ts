/** Every client × every feature, against one TLS server. A client that does not show a feature at all is passed over by name. */
import { createHash, randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { type Asked, type Client, clients } from './tls-clients.ts';

const scope = new FileScope();
const upload = Buffer.from(randomBytes(200_000).toString('base64'));
const digest = createHash('sha256').update(upload).digest('hex');
/** More than any window and any buffer on its way: the client is in the midst of it when the response comes. */
const large = Buffer.alloc(8_000_000, 'not wanted ');
let server: TestServer;
let given: Pick<Asked, 'origin' | 'ca' | 'caFile'>;
let small: Asked['upload'];
let huge: Asked['upload'];

test.before(async () => {
  const authority = await TestAuthority.create();
  const files = new TestFiles(scope);
  const issued = await authority.issue({ subject: 'localhost', names: ['localhost'] });
  server = await startServer(scope, {
    listeners: [{ address: '127.0.0.1:0', tls: { certificates: [files.certificate('own', issued)] } }],
    pools: { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
  });
  given = {
    origin: `https://localhost:${server.port}`,
    ca: authority.cert,
    caFile: files.write('ca.pem', authority.cert),
  };
  small = { file: files.write('upload', upload), bytes: upload };
  huge = { file: files.write('large', large), bytes: large };
});
test.after.always(() => scope.end());

/** Whether the client shows it. */
type Feature = (t: ExecutionContext, client: Client) => Promise<boolean>;

const ask = (client: Client, path: string, method: Asked['method'] = 'GET', upload = small) =>
  client.ask({ ...given, path, method, ...(method === 'POST' && upload !== undefined && { upload }) });

const features: { readonly [name: string]: Feature } = {
  'a request in its own version': async (t, client) => {
    const { status, body } = await ask(client, '/describe?a=b');
    t.is(status, 200);
    const { version, scheme, path } = JSON.parse(body);
    t.deepEqual(
      { version, scheme, path },
      { version: client.version, scheme: 'https', path: '/describe?a=b' },
    );
    return true;
  },
  'a head alone': async (t, client) => {
    const { status, body } = await ask(client, '/hello', 'HEAD');
    t.deepEqual({ status, body }, { status: 200, body: '' });
    return true;
  },
  'an upload of 260 kB': async (t, client) => {
    const { status, body } = await ask(client, '/digest', 'POST');
    t.deepEqual({ status, body }, { status: 200, body: digest });
    return true;
  },
  'the same back as it goes': async (t, client) => {
    const { status, body } = await ask(client, '/echo', 'POST');
    t.is(status, 200);
    t.true(body === upload.toString());
    return true;
  },
  'an error': async (t, client) => {
    t.is((await ask(client, '/nowhere')).status, 404);
    return true;
  },
  'an error that comes in the midst of a large upload': async (t, client) => {
    for (const status of [413, 401]) {
      const got = await ask(client, `/status?code=${status}&body=refused`, 'POST', huge);
      t.deepEqual({ status: got.status, body: got.body }, { status, body: 'refused' });
    }
    return true;
  },
  'interim responses': async (t, client) => {
    const { status, interim } = await ask(client, '/interim');
    t.is(status, 200);
    if (interim !== undefined) t.deepEqual(interim, [103, 102]);
    return interim !== undefined;
  },
  trailers: async (t, client) => {
    const { body, trailers } = await ask(client, '/trailers');
    t.is(body, 'content');
    if (trailers !== undefined) t.is(trailers['x-checksum'], 'abc');
    return trailers !== undefined;
  },
};

for (const [name, client] of Object.entries(clients)) {
  for (const [feature, show] of Object.entries(features)) {
    test(`${name}: ${feature}`, async (t) => {
      if (!(await show(t, client)))
        t.log(`${name} does not show ${feature}; the response came whole all the same`);
    });
  }
}
