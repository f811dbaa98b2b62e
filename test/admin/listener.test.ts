/** The admin listener on TCP: who is let in, who is not, and that nothing of it leads to an application or into a log. */
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Access } from '../../runtime/admin/access.ts';
import type { ExchangesView } from '../../runtime/admin/exchange-types.ts';
import { connectControl } from '../../runtime/control/client.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import { application, type ServerInput } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

const TOKEN = 'a-token-that-is-long-enough-for-anybody';
const app = { application: application('server', 'pool-name'), threads: { min: 1, max: 1 }, minUptimeMs: 0 };

type Admin = NonNullable<ServerInput['admin']>;

async function start(t: ExecutionContext, admin: Admin = {}, pool: object = app) {
  const folder = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: folder };
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const input = {
    pools: { app: pool },
    admin: { address: '127.0.0.1:0', tokenFile, ...admin },
  } as ServerInput;
  const server = startProcess(t, input, [], variables);
  const applications = await server.listening();
  const line = server.log.lines.find(({ msg }) => String(msg).startsWith('admin on'));
  const host = String(line?.address);
  const client = await connectControl(configOf({}, server.file), { environment: variables });
  t.teardown(() => client.close());
  const link = async () => ((await client.ask('POST', '/dashboard-links')) as { readonly url: string }).url;
  return { server, host, origin: `http://${host}`, applications, client, link, folder };
}

type Started = Awaited<ReturnType<typeof start>>;

/** Exactly these fields, which no client of Node's would all let through. */
async function ask(
  { host }: Pick<Started, 'host'>,
  method: string,
  path: string,
  fields: Readonly<Record<string, string>> = {},
  body = '',
) {
  const [address, port] = host.split(':');
  const socket = connect(Number(port), address);
  const all = {
    host,
    connection: 'close',
    ...(body !== '' && { 'content-length': String(body.length) }),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  const answer = await text(socket);
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const content = rest.join('\r\n\r\n');
  return {
    status: Number(head.slice(9, 12)),
    head: head.toLowerCase(),
    content,
    code: /"code":"(\w+)"/.exec(content)?.[1],
    cookie: /^set-cookie: (.*)$/im.exec(head)?.[1],
  };
}

const bearer = (token = TOKEN) => ({ authorization: `Bearer ${token}` });
const secretOf = (url: string): string => new URL(url).hash.replace('#link=', '');

async function enter(running: Started): Promise<Readonly<Record<string, string>>> {
  const body = JSON.stringify({ link: secretOf(await running.link()) });
  const entered = await ask(running, 'POST', '/session', { origin: running.origin }, body);
  return { cookie: (entered.cookie ?? '').split(';')[0] ?? '' };
}

test('a token lets in, none or a wrong one does not, and no application is behind it', async (t) => {
  const running = await start(t);
  const status = await ask(running, 'GET', '/status', bearer());
  t.is(status.status, 200);
  t.regex(status.content, /"state":"running"/);
  for (const fields of [
    {},
    bearer('x'.repeat(40)),
    { authorization: `Basic ${TOKEN}` },
    { cookie: 'sluice-admin-1=x' },
  ]) {
    const refused = await ask(running, 'GET', '/status', fields);
    t.is(refused.status, 401);
    t.is(refused.code, 'SLUICE_ADMIN_UNAUTHORIZED');
    t.regex(refused.head, /^www-authenticate: bearer/m);
    t.false(refused.content.includes('running'));
  }
  t.is((await ask(running, 'GET', '/anything', bearer())).code, 'SLUICE_CONTROL_NOT_FOUND');
  for (const local of ['/stop', '/profiles', '/dashboard-links'])
    t.is((await ask(running, 'POST', local, bearer())).status, 404, local);
  const document = await ask(running, 'GET', '/openapi.json', bearer());
  t.regex(document.content, /"securitySchemes"/);
  t.is((await ask(running, 'POST', '/pools/app/resize', bearer(), '{"min":2,"max":2}')).status, 200);
  t.is((await ask(running, 'POST', '/drain', bearer())).status, 202);
  t.deepEqual(await running.server.ended, { code: 0, signal: null });
});

test('the control socket and the listener agree on what is being recycled and on the numbers of exchanges', async (t) => {
  const echo = join(ownFolder(t), 'echo.mjs');
  writeFileSync(
    echo,
    'export default async (exchange) => exchange.respond(200, {}, await exchange.body.text());',
  );
  const running = await start(t, {}, { ...app, application: echo });
  const { hostname, port } = new URL(running.applications);
  const upload = connect(Number(port), hostname);
  upload.write('POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n');
  const ids = async () => {
    const local = (await running.client.ask('GET', '/exchanges')) as ExchangesView;
    const remote = JSON.parse((await ask(running, 'GET', '/exchanges', bearer())).content) as ExchangesView;
    return [local, remote].map(({ exchanges }) => exchanges[0]?.id);
  };
  // An older one, which only one of them is asked about.
  while ((await ids())[0] === undefined);
  const second = connect(Number(port), hostname);
  t.teardown(() => second.destroy());
  second.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n');
  const numbersOf = async (view: Promise<unknown>) =>
    ((await view) as ExchangesView).exchanges.map(({ id }) => id).toSorted();
  while ((await numbersOf(running.client.ask('GET', '/exchanges?olderThanMs=0'))).length < 2);
  const [one, other] = await ids();
  t.is(one, other);
  const recycled = running.client.ask('POST', '/pools/app/recycle');
  const events = async () => JSON.stringify(await running.client.ask('GET', '/events'));
  while (!(await events()).includes('recycled'));
  const refused = await ask(running, 'POST', '/pools/app/recycle', bearer());
  t.is(refused.status, 409);
  t.is(refused.code, 'SLUICE_ADMIN_CONFLICT');
  second.write('other');
  upload.write('whole');
  t.regex(await text(upload), /\r\n\r\nwhole$/);
  t.like(await recycled, { threads: ['app-1'] });
});

test('every answer says what a browser may do with it', async (t) => {
  const running = await start(t);
  for (const path of ['/', '/assets/main.js', '/status']) {
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
  const running = await start(t, { linkTimeoutMs: 3_600_000 });
  const url = await running.link();
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
  t.is((await ask(running, 'GET', '/status', { cookie })).status, 200);
  t.is((await ask(running, 'GET', '/status', { cookie: `other=1; ${cookie}` })).status, 200);
  const again = await ask(running, 'POST', '/session', { origin: running.origin }, body);
  t.is(again.code, 'SLUICE_ADMIN_UNAUTHORIZED');
  const secure = await ask(
    running,
    'POST',
    '/session',
    { origin: `https://${running.host}` },
    JSON.stringify({ link: secretOf(await running.link()) }),
  );
  t.regex(secure.cookie ?? '', /; Secure$/, 'behind a proxy with TLS');
  const own = { cookie, origin: running.origin, 'content-type': 'application/json' };
  t.is((await ask(running, 'DELETE', '/session', own)).status, 200);
  t.is((await ask(running, 'GET', '/status', { cookie })).status, 401);
  const log = JSON.stringify(running.server.log.lines);
  for (const secret of [secretOf(url), cookie.split('=')[1] as string, TOKEN]) t.false(log.includes(secret));
});

test('what changes something by a cookie comes from the page itself (CSRF)', async (t) => {
  const running = await start(t);
  const cookie = await enter(running);
  const json = { 'content-type': 'application/json' };
  const own = { origin: running.origin };
  const body = '{"min":2,"max":2}';
  const resize = (fields: Readonly<Record<string, string>>) =>
    ask(running, 'POST', '/pools/app/resize', { ...cookie, ...fields }, body);
  t.is((await resize({ ...json, ...own })).status, 200);
  t.is((await resize({ ...json })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', 'no origin');
  t.is((await resize({ ...own })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', 'no JSON');
  t.is(
    (await resize({ ...own, 'content-type': 'text/plain' })).code,
    'SLUICE_ADMIN_FOREIGN_ORIGIN',
    'what a form can send',
  );
  for (const origin of [
    'http://evil.example',
    'null',
    `http://${running.host}.evil.example`,
    `ftp://${running.host}`,
  ])
    t.is((await resize({ ...json, origin })).code, 'SLUICE_ADMIN_FOREIGN_ORIGIN', origin);
  t.is((await ask(running, 'GET', '/status', { ...cookie, 'sec-fetch-site': 'cross-site' })).status, 403);
  // A token cannot be sent by a page that does not know it, so it needs no origin, and still no foreign one.
  t.is((await ask(running, 'POST', '/pools/app/resize', bearer(), body)).status, 200);
  t.is(
    (await ask(running, 'POST', '/pools/app/resize', { ...bearer(), origin: 'http://evil.example' }, body))
      .status,
    403,
  );
});

test('a name that was made to point here reads nothing (DNS rebinding)', async (t) => {
  const running = await start(t, { hosts: ['admin.example.org'] });
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
  const running = await start(t, { wrongTokensPerMinute: 3 });
  const cookie = await enter(running);
  for (let i = 0; i < 3; i++) t.is((await ask(running, 'GET', '/status', bearer(`wrong-${i}`))).status, 401);
  for (const token of ['wrong-3', TOKEN]) {
    const blocked = await ask(running, 'GET', '/status', bearer(token));
    t.is(blocked.status, 429);
    t.is(blocked.code, 'SLUICE_ADMIN_TOO_MANY_FAILURES');
    t.regex(blocked.head, /^retry-after: 60/m);
  }
  const body = JSON.stringify({ link: secretOf(await running.link()) });
  t.is((await ask(running, 'POST', '/session', { origin: running.origin }, body)).status, 429);
  t.is((await ask(running, 'GET', '/status', cookie)).status, 200);
});

test('what is kept of links, sessions and addresses is bounded, and ends with time', (t) => {
  let now = 0;
  const options = { wrongTokensPerMinute: 2, linkTimeoutMs: 1_000, sessionTimeoutMs: 10_000, maxSessions: 2 };
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
    const server = startProcess(t, { pools: { app }, admin: { address: '127.0.0.1:0', tokenFile } }, [], {
      XDG_RUNTIME_DIR: folder,
    });
    t.deepEqual(await server.ended, { code: 1, signal: null });
    const line = server.log.lines.find(({ code }) => code === 'SLUICE_ADMIN_TOKEN_UNUSABLE');
    t.regex(String(line?.msg), says);
  }
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

test('clients that are slow or many are cut off, and the others are answered', async (t) => {
  const running = await start(t, { maxConnections: 2, maxRequestsPerSecond: 5 });
  const [address, port] = running.host.split(':');
  const silent = [0, 1].map(() => connect(Number(port), address));
  for (const socket of silent) {
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
  }
  const third = connect(Number(port), address).resume();
  third.on('error', () => undefined);
  await once(third, 'close');
  for (const socket of silent) socket.destroy();
  // Pipelined they come at once, however slow the machine is.
  const fields = `host: ${running.host}\r\nauthorization: Bearer ${TOKEN}\r\n`;
  const request = `GET /log-level HTTP/1.1\r\n${fields}`;
  const requests = `${`${request}\r\n`.repeat(19)}${request}connection: close\r\n\r\n`;
  let answers = '';
  // A connection counts until the server has seen its end.
  while (answers === '') {
    const socket = connect(Number(port), address);
    socket.write(requests);
    answers = await text(socket).catch(() => '');
  }
  const statuses = [...answers.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
  t.is(statuses.length, 20);
  t.deepEqual([...new Set(statuses)], ['200', '429']);
  t.regex(answers, /admin\.maxRequestsPerSecond \(5\)/);
});

test('without a control socket the log is kept for the listener', async (t) => {
  const folder = ownFolder(t);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const input = {
    pools: { app },
    admin: { address: '127.0.0.1:0', tokenFile },
    control: { enabled: false },
  };
  const server = startProcess(t, input, [], { XDG_RUNTIME_DIR: folder });
  await server.listening();
  const line = server.log.lines.find(({ msg }) => String(msg).startsWith('admin on'));
  const { status, content } = await ask({ host: String(line?.address) }, 'GET', '/logs', bearer());
  t.is(status, 200);
  t.regex(content, /"msg":"admin on /);
});
