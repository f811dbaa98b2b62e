/**
 * docs/node-compatibility.md against Node: every member of what a handler is given, read on live requests here and there. A member or an
 * event that Node has and the page does not know fails, and so does one of which the page says the wrong thing.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttp1, type Server, request as sendHttp1 } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps, request as sendHttps } from 'node:https';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { described, type Over, page, withTables } from '../../../docs/generate-node-compatibility.ts';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { connectHttp2, request } from '../../server/http2-client.ts';
import { TestAuthority, TestFiles } from '../../tls/authority.ts';
import { type Emitted, type Given, handler } from './applications/members.ts';
import { tell } from './members/told.ts';
import { listen } from './reference.ts';

type Sent = { readonly status: number; readonly text: string };
type Ask = (path: string, method?: string) => Promise<Sent>;
interface Pair {
  readonly node: Ask;
  readonly ours: Ask;
}

const scope = new FileScope();
let server: TestServer;
const pairs: { [over: string]: Pair } = {};
const OVER: readonly Over[] = ['1.1', 'tls', '2.0'];

test.before(async () => {
  const authority = await TestAuthority.create();
  const issued = await authority.issue({ names: ['localhost'] });
  const certificates = [new TestFiles(scope).certificate('server', issued)];
  const file = (name: string) => fileURLToPath(new URL(`applications/${name}`, import.meta.url));
  const threads = { min: 1, max: 1 };
  server = await startServer(scope, {
    listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls: { certificates } }],
    pools: {
      members: { application: file('members.ts'), threads },
      fetch: { application: file('members-fetch.ts'), threads },
      http2: { application: file('members-http2.ts'), threads },
    },
    routes: [
      { path: '/fetch', pool: 'fetch' },
      { host: 'http2.test', path: '/*', pool: 'http2' },
      { path: '/*', pool: 'members' },
    ],
  });
  const https = server.log.lines.find(({ msg }) => msg?.startsWith('listening on https'));
  const tlsPort = Number(String(https?.address).split(':').at(-1));
  const { port } = await listen(scope, createHttp1(handler));
  pairs['1.1'] = { node: overHttp1(port), ours: overHttp1(server.port) };
  const secure = await listen(scope, createHttps(issued, handler) as Server);
  pairs.tls = { node: overHttp1(secure.port, true), ours: overHttp1(tlsPort, true) };
  const http2 = await listen(scope, createHttp2(handler as never) as unknown as Server);
  pairs['2.0'] = { node: overHttp2(http2.origin), ours: overHttp2(server.origin, 'http2.test') };
});
test.after.always(() => scope.end());

function overHttp1(port: number, isSecure = false): Ask {
  return (path, method = 'GET') =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method, agent: false, rejectUnauthorized: false };
      const outgoing = (isSecure ? sendHttps : sendHttp1)(options, (response) => {
        const text = response.setEncoding('utf8').toArray();
        text.then(
          (pieces) => resolve({ status: response.statusCode as number, text: pieces.join('') }),
          reject,
        );
      });
      outgoing.on('error', reject);
      outgoing.end(method === 'POST' ? 'content' : undefined);
    });
}

function overHttp2(origin: string, authority = new URL(origin).host): Ask {
  return async (path, method = 'GET') => {
    const session = await connectHttp2(scope, origin);
    const head = { ':path': path, ':method': method, ':authority': authority };
    const { status, body } = await request(session, head, method === 'POST' ? 'content' : undefined);
    return { status, text: body.toString() };
  };
}

for (const over of OVER) {
  test(`members of a request, a response, their socket and their server are what the page says, over ${over}`, async (t) => {
    const { node, ours } = pairs[over] as Pair;
    const given: Given = JSON.parse((await node('/given')).text);
    const found: Given = JSON.parse((await ours('/given')).text);
    for (const [object, onNode] of Object.entries(given)) {
      const { asNode, others } = (described[object] as (typeof described)[string]).members;
      for (const [member, value] of Object.entries(onNode)) {
        const what = `${object}.${member} over ${over}`;
        const difference = others[member];
        const here = found[object]?.[member];
        if (difference === undefined) {
          t.true(asNode.includes(member), `${what} is not on the page`);
          // The servers of node:http, node:https and node:http2 have members of their own; this one is node:http's.
          if (object !== 'server' || over === '1.1') t.is(here, value, what);
        } else if (difference.how === 'absent') t.true(here === undefined, what);
        else if (difference.how === 'refused') t.is(here, 'function', what);
      }
    }
  });

  test(`events of a request, a response and their socket are those of the page, over ${over}`, async (t) => {
    const { node, ours } = pairs[over] as Pair;
    // The stand-in for a socket of node:http2 is no emitter of its own.
    const objects = over === '2.0' ? ['req', 'res'] : ['req', 'res', 'socket'];
    const [onNode, here] = await Promise.all([recorded(node, objects), recorded(ours, objects)]);
    for (const object of objects) {
      const { asNode, others } = (described[object] as (typeof described)[string]).events;
      const never = Object.keys(others).filter((event) => others[event]?.how === 'never');
      const known = new Set([...asNode, ...Object.keys(others)]);
      t.deepEqual(
        onNode[object]?.filter((event) => !known.has(event)),
        [],
        `${object} over ${over}`,
      );
      // A response of node:http2 tells of this or does not, by who is sooner.
      const isSure = (event: string) => over !== '2.0' || event !== 'prefinish';
      t.deepEqual(
        here[object]?.filter(isSure),
        onNode[object]?.filter((event) => !never.includes(event) && isSure(event)),
        object,
      );
    }
  });
}

/** Of an upload that is answered, once everything is over. */
async function recorded(ask: Ask, objects: readonly string[]): Promise<Emitted> {
  await ask('/record', 'POST');
  for (;;) {
    const emitted: Emitted = JSON.parse((await ask('/recorded')).text);
    if (objects.every((object) => emitted[object]?.includes('close'))) return emitted;
  }
}

test('a member of the socket that is refused fails its exchange by its code, and nobody else', async (t) => {
  const { others } = (described.socket as (typeof described)[string]).members;
  const { ours } = pairs.tls as Pair;
  const refused = Object.keys(others).filter((member) => others[member]?.how === 'refused');
  t.true(refused.length > 0);
  const given: Given = JSON.parse((await ours('/given')).text);
  for (const member of refused) {
    // Of those that came with a later Node nothing is there on an earlier one.
    if (given.socket?.[member] === undefined) continue;
    t.is((await ours(`/call/${member}`)).status, 500, member);
  }
  // One line for many.
  const line = await server.log.until('application failed');
  t.is((line.err as { code?: string }).code, 'SLUICE_NO_SOCKET');
  t.is(server.log.count('thread died'), 0);
});

test('a member of the session that is refused fails its exchange by its code, and nobody else', async (t) => {
  const { others } = (described.session as (typeof described)[string]).members;
  const { ours } = pairs['2.0'] as Pair;
  const refused = Object.keys(others).filter((member) => others[member]?.how === 'refused');
  t.true(refused.length > 0);
  for (const member of refused) t.is((await ours(`/call-session/${member}`)).status, 500, member);
  t.is(server.log.count('thread died'), 0);
});

for (const over of ['1.1', '2.0', 'tls'] as const) {
  test(`who goes on with what a refused member gives does not end the thread, over ${over}`, async (t) => {
    const { ours } = pairs[over] as Pair;
    for (const member of ['filter', 'map', 'iterator', 'asyncIterator', 'asyncDispose', 'toArray', 'forEach'])
      t.is((await ours(`/go-on/${member}`)).status, 500, member);
    t.is(server.log.count('thread died'), 0);
  });
}

test('members of the Request and the Response of a Fetch handler are those of the platform', async (t) => {
  const { ours } = pairs['1.1'] as Pair;
  const found: Given = JSON.parse((await ours('/fetch')).text);
  const platform: Given = {
    Request: tell(new Request(server.origin)),
    Response: tell(new Response('content')),
  };
  for (const [object, members] of Object.entries(platform)) {
    const { asNode, others } = (described[object] as (typeof described)[string]).members;
    for (const [member, value] of Object.entries(members)) {
      t.true(asNode.includes(member) || member in others, `${object}.${member} is not on the page`);
      t.is(found[object]?.[member], value, `${object}.${member}`);
    }
  }
});

test('the page is made of what is held against Node here', (t) => {
  const text = readFileSync(page, 'utf8');
  t.is(withTables(text), text, 'run `npx node docs/generate-node-compatibility.ts`');
});
