/**
 * Every public member of `req`, `res` and their socket, used in a timer with whatever arguments before, during and after the response: a
 * timer is where an exception ends a whole thread. Nothing throws that does not throw on node:http, where the same runs.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { connectHttp2, request as requestHttp2 } from '../../server/http2-client.ts';
import { MOMENTS, OBJECTS, OBJECTS_OF_HTTP2, type Told } from './applications/every-member.ts';

/**
 * Node ends a request that nobody reads behind its response, so that `compose` refuses it. Here it ends when somebody waits for that, and
 * `compose` gives a stream. Node 22 hides this stream behind another, so nobody can hear of its errors, and they end the thread.
 */
const IS_COMPOSE_HIDDEN = process.versions.node.startsWith('22.');

/** So many members are used at the same time. */
const AT_ONCE = 4;

const scope = new FileScope();
let server: TestServer;
/** By what the server is: of node:http, or of node:http2. */
const node: { http: Ask; http2: Ask } = { http: unasked, http2: unasked };
/** By that, and by version. */
const ours: { http: Record<string, Ask>; http2: Record<string, Ask> } = { http: {}, http2: {} };
let runs = 0;

test.before(async () => {
  const reference = fork(fileURLToPath(new URL('every-member-on-node.ts', import.meta.url)));
  scope.teardown(() => reference.kill());
  const [[port, portOfHttp2]] = await once(reference, 'message');
  node.http = http1(port);
  node.http2 = apart(`http://127.0.0.1:${portOfHttp2}`);
  const pool = (name: string) => ({
    application: fileURLToPath(new URL(`applications/${name}`, import.meta.url)),
    threads: { min: 1, max: 1 },
    validate: false,
  });
  server = await startServer(scope, {
    pools: { members: pool('every-member.ts'), http2: pool('every-member-http2.ts') },
    routes: [
      { host: 'http2.test', path: '/*', pool: 'http2' },
      { path: '/*', pool: 'members' },
    ],
  });
  const session = await connectHttp2(scope, server.origin);
  ours.http = { '1.1': http1(server.port), '2.0': http2(session) };
  ours.http2 = { '2.0': http2(session, 'http2.test') };
});
test.after.always(() => scope.end());

const http1 = (port: number) => (path: string) =>
  new Promise<string>((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path: encodeURI(path), agent: false });
    outgoing.on('error', () => undefined);
    let text = '';
    outgoing.on('response', (response) => {
      response.setEncoding('utf8').on('error', () => undefined);
      response.on('data', (piece: string) => {
        text += piece;
      });
    });
    outgoing.on('close', () => resolve(text));
    outgoing.end();
  });

const http2 = (session: ClientHttp2Session, authority?: string) => async (path: string) => {
  const head = { ':path': encodeURI(path), ...(authority !== undefined && { ':authority': authority }) };
  return (await requestHttp2(session, head)).body.toString();
};

/** Each request over a connection of its own, as on Node one may end that. */
const apart = (origin: string) => async (path: string) => {
  const session = await connectHttp2(scope, origin);
  const text = await http2(session)(path);
  session.destroy();
  return text;
};

/** Gives the text of the response, as far as it came. */
type Ask = (path: string) => Promise<string>;

async function use(ask: Ask, member: string, ways: readonly string[]): Promise<Told> {
  const run = ++runs;
  await Promise.all(ways.map((way) => ask(`/${run}${member}/${way}`)));
  // A thread that has died tells nothing.
  const dead = server.log.until('thread died').then(({ err }) => `its thread has died: ${inspect(err)}`);
  const told = await Promise.race([ask(`/told/${run}${member}?${ways.join('&')}`), dead]);
  return told.startsWith('{') ? JSON.parse(told) : { all: told };
}

async function unasked(): Promise<string> {
  throw new Error('expected the servers to have started');
}

/** How often something has ended Node's server, since this was asked last. */
const uncaughtOnNode = async (): Promise<number> => Number(await node.http('/uncaught'));

/** Ways that end the process on node:http: one at a time, so that it is known which. */
async function fatalOnNode(ask: Ask, member: string, ways: readonly string[]): Promise<string[]> {
  const fatal: string[] = [];
  for (const way of ways) {
    await use(ask, member, [way]);
    if ((await uncaughtOnNode()) > 0) fatal.push(way);
  }
  return fatal;
}

for (const [kind, object] of [
  ...OBJECTS.map((each) => ['http', each] as const),
  ...OBJECTS_OF_HTTP2.map((each) => ['http2', each] as const),
]) {
  for (const moment of MOMENTS) {
    test.serial(
      `members of ${object}, ${moment} the response, throw in a timer only what they throw on node:${kind}`,
      async (t) => {
        const members: { [member: string]: string[] } = JSON.parse(await node[kind](`/members/${object}`));
        const names = Object.keys(members).filter(
          (name) => !(IS_COMPOSE_HIDDEN && moment === 'ended' && name === 'compose'),
        );
        t.true(names.length > 35);
        const wrong: string[] = [];
        const onNode = new Map<string, Told>();
        for (let at = 0; at < names.length; at += AT_ONCE) {
          const some = names.slice(at, at + AT_ONCE);
          for (const name of some)
            onNode.set(
              name,
              await use(node[kind], `/${moment}/${object}/${name}`, members[name] as string[]),
            );
          if ((await uncaughtOnNode()) === 0) continue;
          for (const name of some) {
            const fatal = await fatalOnNode(
              node[kind],
              `/${moment}/${object}/${name}`,
              members[name] as string[],
            );
            members[name] = (members[name] as string[]).filter((way) => !fatal.includes(way));
          }
        }
        for (const [version, ask] of Object.entries(ours[kind])) {
          for (let at = 0; at < names.length; at += AT_ONCE) {
            const some = names.slice(at, at + AT_ONCE);
            const all = some.map((name) =>
              use(ask, `/${moment}/${object}/${name}`, members[name] as string[]),
            );
            for (const [n, told] of (await Promise.all(all)).entries()) {
              const name = some[n] as string;
              for (const [way, thrown] of Object.entries(told)) {
                const there = onNode.get(name)?.[way] ?? '';
                // Whatever else it throws where Node throws something: its caller is prepared.
                if (thrown !== '' && there === '')
                  wrong.push(`HTTP/${version}: ${object}.${name}, ${way}: it throws ${thrown}`);
              }
            }
            t.is(server.log.count('thread died'), 0, `one of ${some.join(', ')} has ended the thread`);
          }
        }
        t.deepEqual(wrong, []);
      },
    );
  }
}
