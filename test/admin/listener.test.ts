/** The admin listener on TCP: who is let in, who is not, and that nothing of it leads to an application or into a log. */
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Access } from '../../runtime/admin/access.ts';
import type { ExchangesView } from '../../runtime/admin/exchange-types.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { connectControl } from '../../runtime/control/find.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import type { ServerInput } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';
import {
  answerIn,
  ask,
  bearer,
  connectTo,
  requestText,
  startListener,
  type TestListener,
  TOKEN,
} from './admin-listener.ts';

type Admin = Partial<NonNullable<ConfigInput['admin']>>;

/** Runs `sluice start` with an admin listener. */
async function startServer(t: ExecutionContext, more: Partial<ServerInput> = {}) {
  const folder = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: folder };
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const echo = join(folder, 'echo.mjs');
  writeFileSync(
    echo,
    'export default async (exchange) => exchange.respond(200, {}, await exchange.body.text());',
  );
  const app = { application: echo, threads: { min: 1, max: 1 }, minUptimeMs: 0 };
  const admin = { address: '127.0.0.1:0', tokenFile };
  const server = startProcess(t, { pools: { app }, admin, ...more }, [], variables);
  const applications = await server.listening();
  const host = String(server.log.find('admin on')?.address);
  return { server, host, applications, variables };
}

const secretOf = (url: string): string => new URL(url).hash.replace('#link=', '');

async function enter(running: TestListener): Promise<Readonly<Record<string, string>>> {
  const body = JSON.stringify({ link: secretOf(running.link()) });
  const entered = await ask(running, 'POST', '/session', { origin: running.origin }, body);
  return { cookie: (entered.cookie ?? '').split(';')[0] ?? '' };
}

test('a token lets in, none or a wrong one does not', async (t) => {
  const running = await startListener(t);
  const answer = await ask(running, 'GET', '/here', bearer());
  t.is(answer.status, 200);
  t.is(answer.content, '"here"\n');
  for (const fields of [
    {},
    bearer('x'.repeat(40)),
    { authorization: `Basic ${TOKEN}` },
    { cookie: 'sluice-admin-1=x' },
  ]) {
    const refused = await ask(running, 'GET', '/here', fields);
    t.is(refused.status, 401);
    t.is(refused.code, 'SLUICE_ADMIN_UNAUTHORIZED');
    t.regex(refused.head, /^www-authenticate: bearer/m);
    t.false(refused.content.includes('here'));
  }
  t.is((await ask(running, 'GET', '/anything', bearer())).code, 'SLUICE_CONTROL_NOT_FOUND');
});

test('on a server that runs it has the endpoints and no application; the control socket agrees with it on what is recycled and on the numbers of exchanges', async (t) => {
  const running = await startServer(t);
  const client = await connectControl(configOf({}, running.server.file), { environment: running.variables });
  t.teardown(() => client.close());
  t.regex((await ask(running, 'GET', '/status', bearer())).content, /"state":"running"/);
  t.is((await ask(running, 'GET', '/anything', bearer())).code, 'SLUICE_CONTROL_NOT_FOUND');
  for (const local of ['/stop', '/profiles', '/dashboard-links'])
    t.is((await ask(running, 'POST', local, bearer())).status, 404, local);
  t.regex((await ask(running, 'GET', '/openapi.json', bearer())).content, /"securitySchemes"/);
  t.is((await ask(running, 'POST', '/pools/app/resize', bearer(), '{"min":1,"max":1}')).status, 200);
  const { hostname, port } = new URL(running.applications);
  const upload = connect(Number(port), hostname);
  upload.write('POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n');
  const remoteView = async () =>
    JSON.parse((await ask(running, 'GET', '/exchanges', bearer())).content) as ExchangesView;
  const localView = async () => (await client.ask('GET', '/exchanges')) as ExchangesView;
  // An older one, which only one of them is asked about.
  while ((await localView()).total === 0);
  const second = connect(Number(port), hostname);
  t.teardown(() => second.destroy());
  second.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n');
  while ((await localView()).total < 2);
  const idsOf = ({ exchanges }: ExchangesView) => exchanges.map(({ id }) => id);
  t.deepEqual(idsOf(await remoteView()), idsOf(await localView()));
  const recycled = client.ask('POST', '/pools/app/recycle');
  const events = async () => JSON.stringify(await client.ask('GET', '/events'));
  while (!(await events()).includes('recycled'));
  const refused = await ask(running, 'POST', '/pools/app/recycle', bearer());
  t.is(refused.status, 409);
  t.is(refused.code, 'SLUICE_ADMIN_CONFLICT');
  second.write('other');
  upload.write('whole');
  t.regex(await text(upload), /\r\n\r\nwhole$/);
  t.like(await recycled, { threads: ['app-1'] });
  t.is((await ask(running, 'POST', '/drain', bearer())).status, 202);
  second.destroy();
  t.deepEqual(await running.server.ended, { code: 0, signal: null });
});

test('every answer says what a browser may do with it', async (t) => {
  const running = await startListener(t);
  for (const path of ['/', '/assets/main.js', '/here']) {
    const { head } = await ask(running, 'GET', path);
    t.regex(
      head,
      /^content-security-policy: default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/m,
    );
    t.regex(head, /^x-content-type-options: nosniff/m);
    t.regex(head, /^referrer-policy: no-referrer/m);
    t.regex(head, /^cache-control: no-store/m);
  }
});

test('a link lets in once, by a cookie that no script reads and no other site sends', async (t) => {
  const running = await startListener(t, { linkTimeoutMs: 3_600_000 });
  const url = running.link();
  t.regex(
    url,
    new RegExp(`^${running.origin}/#link=[\\w-]{43}$`),
    'behind the sign, where no server and no log sees it',
  );
  const body = JSON.stringify({ link: secretOf(url) });
  const entered = await ask(running, 'POST', '/session', { origin: running.origin }, body);
  t.is(entered.status, 200);
  t.regex(
    entered.cookie ?? '',
    /^sluice-admin-\d+=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict$/,
  );
  const cookie = (entered.cookie ?? '').split(';')[0] as string;
  t.is((await ask(running, 'GET', '/here', { cookie })).status, 200);
  t.is((await ask(running, 'GET', '/here', { cookie: `other=1; ${cookie}` })).status, 200);
  const again = await ask(running, 'POST', '/session', { origin: running.origin }, body);
  t.is(again.code, 'SLUICE_ADMIN_UNAUTHORIZED');
  const secure = await ask(
    running,
    'POST',
    '/session',
    { origin: `https://${running.host}` },
    JSON.stringify({ link: secretOf(running.link()) }),
  );
  t.regex(secure.cookie ?? '', /; Secure$/, 'behind a proxy with TLS');
  const own = { cookie, origin: running.origin, 'content-type': 'application/json' };
  t.is((await ask(running, 'DELETE', '/session', own)).status, 200);
  t.is((await ask(running, 'GET', '/here', { cookie })).status, 401);
  const log = JSON.stringify(running.log.lines);
  for (const secret of [secretOf(url), cookie.split('=')[1] as string, TOKEN]) t.false(log.includes(secret));
});

test('what changes something by a cookie comes from the page itself (CSRF)', async (t) => {
  const running = await startListener(t);
  const cookie = await enter(running);
  const json = { 'content-type': 'application/json' };
  const own = { origin: running.origin };
  const body = '{"min":2,"max":2}';
  const change = (fields: Readonly<Record<string, string>>) =>
    ask(running, 'POST', '/here', { ...cookie, ...fields }, body);
  t.is((await change({ ...json, ...own })).status, 200);
  t.is((await change({ ...json })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', 'no origin');
  t.is((await change({ ...own })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', 'no JSON');
  t.is(
    (await change({ ...own, 'content-type': 'text/plain' })).code,
    'SLUICE_ADMIN_FOREIGN_ORIGIN',
    'what a form can send',
  );
  for (const origin of [
    'http://evil.example',
    'null',
    `http://${running.host}.evil.example`,
    `ftp://${running.host}`,
  ])
    t.is((await change({ ...json, origin })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', origin);
  t.is((await ask(running, 'GET', '/here', { ...cookie, 'sec-fetch-site': 'cross-site' })).status, 403);
  // A token cannot be sent by a page that does not know it, so it needs no origin, and still no foreign one.
  t.is((await ask(running, 'POST', '/here', bearer(), body)).status, 200);
  t.is(
    (await ask(running, 'POST', '/here', { ...bearer(), origin: 'http://evil.example' }, body)).status,
    403,
  );
});

test('a name that was made to point here reads nothing (DNS rebinding)', async (t) => {
  const running = await startListener(t, { hosts: ['admin.example.org'] });
  const port = running.host.split(':')[1];
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ])
    t.is((await ask(running, 'GET', '/', { host })).code, 'SLUICE_ADMIN_FOREIGN_HOST', host);
  t.not((await ask(running, 'GET', '/', { host: '' })).status, 200);
  for (const host of [
    running.host,
    `localhost:${port}`,
    `[::1]:${port}`,
    'Admin.Example.org',
    'admin.example.org:443',
  ])
    t.is((await ask(running, 'GET', '/', { host })).status, 200, host);
});

test('wrong tokens are limited, the right one included, and a session goes on', async (t) => {
  const running = await startListener(t, { wrongTokensPerMinute: 3 });
  const cookie = await enter(running);
  for (let i = 0; i < 3; i++) t.is((await ask(running, 'GET', '/here', bearer(`wrong-${i}`))).status, 401);
  for (const token of ['wrong-3', TOKEN]) {
    const blocked = await ask(running, 'GET', '/here', bearer(token));
    t.is(blocked.status, 429);
    t.is(blocked.code, 'SLUICE_ADMIN_TOO_MANY_FAILURES');
    t.regex(blocked.head, /^retry-after: 60/m);
  }
  const body = JSON.stringify({ link: secretOf(running.link()) });
  t.is((await ask(running, 'POST', '/session', { origin: running.origin }, body)).status, 429);
  t.is((await ask(running, 'GET', '/here', cookie)).status, 200);
});

test('what is kept of links, sessions and addresses is bounded, and ends with time', (t) => {
  let now = 0;
  const options = {
    wrongTokensPerMinute: 2,
    maxRememberedAddresses: 1_024,
    linkTimeoutMs: 1_000,
    sessionTimeoutMs: 10_000,
    maxSessions: 2,
  };
  const access = new Access(options, TOKEN, () => now);
  const [first, second, third] = [access.makeLink(), access.makeLink(), access.makeLink()];
  t.is(access.enter(first, '::1'), 'wrong', 'it has made room');
  const sessionOf = (entered: ReturnType<Access['enter']>): string =>
    typeof entered === 'string' ? entered : entered.session;
  const session = sessionOf(access.enter(second, '127.0.0.1'));
  t.true(access.isSession(session));
  now = 1_000;
  t.is(access.enter(third, '127.0.0.1'), 'wrong', 'it is too old');
  now = 10_000;
  t.false(access.isSession(session));
  const [one, two, more] = [0, 1, 2].map(() => sessionOf(access.enter(access.makeLink(), '10.0.0.1'))) as [
    string,
    string,
    string,
  ];
  t.deepEqual(
    [one, two, more].map((each) => access.isSession(each)),
    [false, true, true],
  );
  for (const address of ['2001:db8::1', '2001:db8::2']) t.is(access.present('wrong', address), 'wrong');
  t.is(access.present(TOKEN, '2001:db8::3'), 'blocked', 'a /64 is one');
  t.is(access.present(TOKEN, '2001:db8:0:1::3'), 'in');
  now += 30_000;
  t.is(access.present(TOKEN, '2001:db8::3'), 'in', 'time lets in again');
  for (let i = 0; i < 2; i++) access.present('wrong', '10.1.1.1');
  for (let i = 0; i < 1_024; i++) access.present('wrong', `10.2.${i >> 8}.${i & 255}`);
  t.is(access.present(TOKEN, '10.1.1.1'), 'in', 'of many addresses the oldest is forgotten');
});

test('a file with a token that will not do ends the start, with what to do', async (t) => {
  const folder = ownFolder(t);
  const cases: readonly (readonly [content: string | null, mode: number, says: RegExp])[] = [
    [null, 0o600, /expected a file that can be read/],
    ['short', 0o600, /expected a token of 32 to 1024 visible characters, got 5; make one with openssl/],
    [TOKEN, 0o644, /expected a file that only its owner can read \(mode 600\), got mode 644; run chmod 600/],
  ];
  for (const [index, [content, mode, says]] of cases.entries()) {
    const tokenFile = join(folder, `token-${index}`);
    if (content !== null) {
      writeFileSync(tokenFile, content);
      chmodSync(tokenFile, mode);
    }
    await t.throwsAsync(startListener(t, { tokenFile }), {
      code: 'SLUICE_ADMIN_TOKEN_UNUSABLE',
      message: says,
    });
  }
  const app = { application: './never-loaded.ts' };
  const admin = { address: '127.0.0.1:0', tokenFile: join(folder, 'token-0') };
  writeFileSync(join(folder, 'never-loaded.ts'), 'export default () => undefined;');
  const application = join(folder, 'never-loaded.ts');
  const server = startProcess(t, { pools: { app: { ...app, application } }, admin }, [], {
    XDG_RUNTIME_DIR: folder,
  });
  t.deepEqual(await server.ended, { code: 1, signal: null });
  t.true(server.log.lines.some(({ code }) => code === 'SLUICE_ADMIN_TOKEN_UNUSABLE'));
});

test('a public address without a token is refused with the reason, and a Unix path with where to look', (t) => {
  const parse =
    (address: string, more: Admin = {}) =>
    () =>
      configOf({}, '/nowhere/runtime.config.json', { admin: { address, ...more } });
  for (const address of ['0.0.0.0:9465', '[::]:9465', '192.0.2.1:9465', 'admin.example.org:9465'])
    t.throws(parse(address), {
      message:
        /\$\.admin\.tokenFile .*: missing, expected the path of a file with a token, since others can reach .*; or listen on 127\.0\.0\.1/,
    });
  t.notThrows(parse('0.0.0.0:9465', { tokenFile: './token' }));
  for (const address of ['127.0.0.1:9465', '[::1]:9465', 'localhost:0']) t.notThrows(parse(address));
  t.throws(parse('unix:/run/admin.sock'), { message: /expected a TCP address .*control\.path/ });
  t.throws(
    () =>
      configOf({}, '/nowhere/runtime.config.json', { admin: { address: '127.0.0.1:9464' }, monitoring: {} }),
    { message: /SLUICE_CONFIG_CONFLICT/ },
  );
});

/** A connection that says nothing. */
async function holdOpen(t: ExecutionContext, running: TestListener) {
  const socket = connectTo(running);
  t.teardown(() => socket.destroy());
  const closed = once(socket.resume(), 'close');
  await once(socket, 'connect');
  return { closed };
}

/** A connection that has shown the token. */
async function showToken(t: ExecutionContext, running: TestListener) {
  const socket = connectTo(running);
  t.teardown(() => socket.destroy());
  socket.write(requestText(running, 'GET', '/here', bearer()));
  await once(socket, 'data');
  return async () => {
    socket.write(requestText(running, 'GET', '/here', { ...bearer(), connection: 'close' }));
    return answerIn(await text(socket)).status;
  };
}

test('of more connections than maxConnections the oldest stranger makes room, and one with a token never does', async (t) => {
  const running = await startListener(t, { maxConnections: 3 });
  const askAgain = await showToken(t, running);
  const first = await holdOpen(t, running);
  const second = await holdOpen(t, running);
  // One more than there are places.
  await holdOpen(t, running);
  await first.closed;
  t.is((await ask(running, 'GET', '/')).status, 200, 'a newer one is served');
  await second.closed;
  t.is(await askAgain(), 200, 'the one with the token is the oldest, and still open');
});

test('where all places are taken by clients with tokens, more are closed', async (t) => {
  const running = await startListener(t, { maxConnections: 1 });
  const askAgain = await showToken(t, running);
  const more = connectTo(running);
  await once(more.resume(), 'close');
  t.is(await askAgain(), 200);
});

test('requests beyond maxRequestsPerSecond are answered 429 and end their connection, and those of strangers cost clients with a token nothing', async (t) => {
  const running = await startListener(t, { maxRequestsPerSecond: 1 });
  const answersTo = async (fields: Readonly<Record<string, string>>) => {
    const socket = connectTo(running);
    // Pipelined they come at once, however slow the machine is.
    socket.write(requestText(running, 'GET', '/here', fields).repeat(20));
    const answers = await text(socket);
    t.regex(answers, /^connection: close\r$/im);
    return { answers, statuses: [...answers.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status) };
  };
  const strangers = await Promise.all(Array.from({ length: 20 }, () => answersTo({})));
  t.true(
    strangers.every(({ statuses }) => statuses.length === 1),
    'one answer for a connection',
  );
  t.deepEqual([...new Set(strangers.flatMap(({ statuses }) => statuses))].toSorted(), ['401', '429']);
  const { answers, statuses } = await answersTo(bearer());
  t.deepEqual(statuses, ['200', '429']);
  t.regex(answers, /admin\.maxRequestsPerSecond \(1\)/);
});

test('requests that strangers do not finish take no place of maxExchanges', async (t) => {
  const running = await startListener(t, { maxExchanges: 1 });
  const slow = connectTo(running);
  t.teardown(() => slow.destroy());
  // With its content it would be answered, so it is being read.
  slow.write(requestText(running, 'POST', '/session', { expect: '100-continue', 'content-length': '9' }));
  t.regex(String((await once(slow, 'data'))[0]), /^HTTP\/1\.1 100 /);
  t.is((await ask(running, 'GET', '/here', bearer())).status, 200);
  const held = connectTo(running);
  t.teardown(() => held.destroy());
  held.write(
    requestText(running, 'POST', '/here', { ...bearer(), expect: '100-continue', 'content-length': '9' }),
  );
  t.regex(String((await once(held, 'data'))[0]), /^HTTP\/1\.1 100 /);
  const busy = await ask(running, 'GET', '/here', bearer());
  t.is(busy.status, 503);
  t.regex(busy.content, /expected at most 1 requests at once \(admin\.maxExchanges\)/);
});

test('an address that is taken is told with the option that has it', async (t) => {
  const { host } = await startListener(t);
  await t.throwsAsync(startListener(t, { address: host }), {
    code: 'SLUICE_LISTEN_FAILED',
    message: /^admin\.address: cannot listen on 127\.0\.0\.1:\d+: expected a free address/,
  });
});

test('without a control socket the log is kept for the listener', async (t) => {
  const running = await startServer(t, { control: { enabled: false } });
  const { status, content } = await ask(running, 'GET', '/logs', bearer());
  t.is(status, 200);
  t.regex(content, /"msg":"admin on /);
});
