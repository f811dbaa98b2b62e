/** Options of `createServer` in Node's modules, against docs/node-compatibility.md and against Node itself. */
import { request as sendHttp1 } from 'node:http';
import { request as sendHttps } from 'node:https';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { described } from '../../../docs/generate-node-compatibility.ts';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2, request } from '../../server/http2-client.ts';
import { type Issued, TestAuthority } from '../../tls/authority.ts';
import { allowingHttp1, ofHttp1, ofHttp2, WITHOUT_EFFECT, withBag } from './applications/server-options.ts';
import { listen } from './reference.ts';

const scope = new FileScope();
let server: TestServer;
let issued: Issued;
const { asNode, others } = (described.options as (typeof described)[string]).members;
const POOLS = [
  'http1',
  'streams',
  'allowing',
  'bag',
  'ineffectiveHttp1',
  'ineffectiveHttp2',
  'ineffectiveSecure',
] as const;
/** Node 22 has no `http1Options`. */
const hasBag = readBy('internal/http2/core').has('http1Options');

test.before(async () => {
  issued = await (await TestAuthority.create()).issue({ names: ['localhost'] });
  const application = fileURLToPath(new URL('applications/server-options.ts', import.meta.url));
  server = await startServer(scope, {
    pools: Object.fromEntries(
      POOLS.map((name) => [name, { application, export: name, threads: { min: 1, max: 1 } }]),
    ),
    routes: POOLS.map((name) => ({ host: `${name.toLowerCase()}.test`, path: '/*', pool: name })),
  });
});
test.after.always(() => scope.end());

/** The members of `options` that a module of Node reads. There is no list of them in Node but its own source. */
function readBy(module: string, from = '', to = '\u{10ffff}'): ReadonlySet<string> {
  const source = sourceOf(module);
  const begin = source.indexOf(from);
  const end = source.indexOf(to, begin);
  const text = source.slice(begin, end === -1 ? undefined : end);
  return new Set([...text.matchAll(/\boptions\??\.(\w+)/g)].map(([, name]) => name as string));
}
function sourceOf(module: string): string {
  type Binding = { binding(name: 'natives'): { readonly [module: string]: string } };
  return (process as never as Binding).binding('natives')[module] ?? '';
}

/** Of streams, responses, files and clients, in the same modules. */
const NOT_OF_SERVERS = new Set(
  'autoDestroy createConnection decodeStrings endStream exclusive length maxOriginSetSize maxReservedRemoteStreams offset onError parent protocol sendDate servername signal silent statCheck validate waitForTrailers weight'.split(
    ' ',
  ),
);

test('every option of a server that this Node reads is on the page', (t) => {
  const tls = sourceOf('internal/tls/wrap') === '' ? '_tls_wrap' : 'internal/tls/wrap';
  const read = {
    http: readBy('_http_server'),
    net: readBy('net', 'function Server(', '\n}\n'),
    tls: readBy(tls, 'function Server(', '\nServer.prototype.addContext'),
    settings: readBy(tls, 'Server.prototype.setSecureContext', '\nServer.prototype._getServerData'),
    http2: readBy('internal/http2/core'),
    session: readBy('internal/http2/util', 'function updateOptionsBuffer', '\n}\n'),
  };
  for (const [where, names] of Object.entries(read)) {
    t.true(names.size > 1, where);
    const unknown = [...names].filter(
      (name) => !asNode.includes(name) && !(name in others) && !NOT_OF_SERVERS.has(name),
    );
    t.deepEqual(unknown, [], where);
  }
});

test('a server is made with a value for every option without effect', (t) => {
  const ofTls = (name: string) => others[name]?.over?.join() === 'tls';
  const ineffective = Object.keys(others).filter((name) => others[name]?.how === 'nothing' && !ofTls(name));
  t.deepEqual(
    ineffective.filter((name) => !(name in WITHOUT_EFFECT)),
    [],
  );
});

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly fields: { readonly [name: string]: unknown };
  readonly interim: number;
}
type Ask = (path: string, body?: string) => Promise<Seen>;

/** What is sent or asked of a connection is not compared: Sluice frames responses, and sends names in lower case. */
const COMPARED = ['x-class', 'x-u', 'x-v', 'x-bytes', 'trailer x-t'];
function compared(fields: object, trailers: object): Seen['fields'] {
  const renamed = Object.entries(trailers).map(([name, value]) => [`trailer ${name}`, value]);
  const all = { ...fields, ...Object.fromEntries(renamed) } as { [name: string]: unknown };
  return Object.fromEntries(COMPARED.map((name) => [name, all[name]]));
}

function overHttp1(origin: string, host = 'localhost'): Ask {
  return async (path, body) => {
    const headers = { host, 'x-twice': 'once', ...(body !== undefined && { 'content-length': body.length }) };
    const send = origin.startsWith('https') ? sendHttps : sendHttp1;
    const options = { method: body === undefined ? 'GET' : 'POST', headers, rejectUnauthorized: false };
    return new Promise((resolve, reject) => {
      let interim = 0;
      const outgoing = send(`${origin}/${path}`, { ...options, agent: false }, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then((pieces) => {
            const fields = compared(response.headers, response.trailers);
            resolve({ status: response.statusCode as number, text: pieces.join(''), fields, interim });
          }, reject);
      });
      outgoing.on('information', () => interim++).on('error', reject);
      outgoing.end(body);
    });
  };
}

function overHttp2(t: ExecutionContext, origin: string, authority = 'localhost'): Ask {
  return async (path, body) => {
    const session = await connectHttp2(t, origin);
    const head = {
      ':path': `/${path}`,
      ':method': body === undefined ? 'GET' : 'POST',
      ':authority': authority,
    };
    const answer = await request(session, { ...head, 'x-twice': 'once' }, body);
    const fields = compared(answer.headers, answer.trailers);
    return { status: answer.status, text: answer.body.toString(), fields, interim: answer.interim.length };
  };
}

/** The servers of Node are in this process and share what they note, so one test asks at a time. */
async function isAsOnNode(t: ExecutionContext, node: Ask, ours: Ask): Promise<void> {
  const asks = [
    ['facts'],
    ['echo', 'echoed'],
    ['lines'],
    ['hints'],
    ['events', 'content'],
    ['told'],
    ['unread', 'content'],
    ['told'],
  ] as const;
  for (const [path, body] of asks) t.deepEqual(await ours(path, body), await node(path, body), path);
  t.true(JSON.parse((await node('facts')).text).shown.startsWith('own GET /'));
}

test.serial('classes of a server of node:http are those of its exchanges', async (t) => {
  const { origin } = await listen(t, ofHttp1());
  await isAsOnNode(t, overHttp1(origin), overHttp1(server.origin, 'http1.test'));
});

test.serial('classes of a server of node:http2 are those of its exchanges over HTTP/2', async (t) => {
  const { origin } = await listen(t, ofHttp2());
  await isAsOnNode(t, overHttp2(t, origin), overHttp2(t, server.origin, 'streams.test'));
});

for (const [name, make] of [
  ['allowing', allowingHttp1],
  ['bag', withBag],
] as const) {
  (hasBag || name !== 'bag' ? test.serial : test.serial.skip)(
    `classes of a server of node:http2 for HTTP/1 are those of its exchanges over HTTP/1.1, ${name}`,
    async (t) => {
      const { port } = await listen(t, make(issued));
      await isAsOnNode(t, overHttp1(`https://127.0.0.1:${port}`), overHttp1(server.origin, `${name}.test`));
    },
  );
}

test('a listener that rejects fails its exchange alone, with classes of its own', async (t) => {
  const ours = overHttp2(t, server.origin, 'streams.test');
  t.is((await ours('rejected')).status, 500);
  t.is((await ours('facts')).status, 200);
  t.is(server.log.count('thread died'), 0);
});

for (const name of ['ineffectiveHttp1', 'ineffectiveHttp2', 'ineffectiveSecure'] as const) {
  test(`options without effect change nothing, ${name}`, async (t) => {
    const host = `${name.toLowerCase()}.test`;
    for (const ask of [overHttp1(server.origin, host), overHttp2(t, server.origin, host)]) {
      t.is((await ask('echo', 'echoed')).text, 'echoed');
    }
    // More than each of the limits admits on Node.
    const headers = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`x-${n}`, 'value']));
    const { status } = await requestHttp1(`${server.origin}/echo`, { headers: { host, ...headers } });
    t.is(status, 200);
  });
}
