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
import { MOMENTS, OBJECTS, type Told } from './applications/every-member.ts';

/**
 * Node ends a request that nobody reads behind its response, so that `compose` refuses it. Here it ends when somebody waits for that, and
 * `compose` gives a stream. Node 22 hides this stream behind another, so nobody can hear of its errors, and they end the thread.
 */
const IS_COMPOSE_HIDDEN = process.versions.node.startsWith('22.');

/** So many members are used at the same time. */
const AT_ONCE = 4;

const scope = new FileScope();
let server: TestServer;
let node: Ask;
/** By version. */
let ours: Record<string, Ask>;
let runs = 0;

test.before(async () => {
  const reference = fork(fileURLToPath(new URL('every-member-on-node.ts', import.meta.url)));
  scope.teardown(() => reference.kill());
  const [port] = await once(reference, 'message');
  node = http1(port);
  const application = fileURLToPath(new URL('applications/every-member.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { members: { application, threads: { min: 1, max: 1 }, validate: false } },
  });
  const session = await connectHttp2(scope, server.origin);
  ours = { '1.1': http1(server.port), '2.0': http2(session) };
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

const http2 = (session: ClientHttp2Session) => async (path: string) =>
  (await requestHttp2(session, { ':path': encodeURI(path) })).body.toString();

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

/** How often something has ended node:http, since this was asked last. */
const uncaughtOnNode = async (): Promise<number> => Number(await node('/uncaught'));

/** Ways that end the process on node:http: one at a time, so that it is known which. */
async function fatalOnNode(member: string, ways: readonly string[]): Promise<string[]> {
  const fatal: string[] = [];
  for (const way of ways) {
    await use(node, member, [way]);
    if ((await uncaughtOnNode()) > 0) fatal.push(way);
  }
  return fatal;
}

for (const object of OBJECTS) {
  for (const moment of MOMENTS) {
    test.serial(
      `members of ${object}, ${moment} the response, throw in a timer only what they throw on node:http`,
      async (t) => {
        const members: { [member: string]: string[] } = JSON.parse(await node(`/members/${object}`));
        const names = Object.keys(members).filter(
          (name) => !(IS_COMPOSE_HIDDEN && moment === 'ended' && name === 'compose'),
        );
        t.true(names.length > 50);
        const onNode = new Map<string, Told>();
        for (let at = 0; at < names.length; at += AT_ONCE) {
          const some = names.slice(at, at + AT_ONCE);
          for (const name of some)
            onNode.set(name, await use(node, `/${moment}/${object}/${name}`, members[name] as string[]));
          if ((await uncaughtOnNode()) === 0) continue;
          for (const name of some) {
            const fatal = await fatalOnNode(`/${moment}/${object}/${name}`, members[name] as string[]);
            members[name] = (members[name] as string[]).filter((way) => !fatal.includes(way));
          }
        }
        for (const [version, ask] of Object.entries(ours)) {
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
                  t.fail(`HTTP/${version}: ${object}.${name}, ${way}: it throws ${thrown}`);
              }
            }
            t.is(server.log.count('thread died'), 0, `one of ${some.join(', ')} has ended the thread`);
          }
        }
      },
    );
  }
}
