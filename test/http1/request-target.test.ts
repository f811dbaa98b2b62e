/** Request targets and Host: each request has exactly one reading of its authority (RFC 9112 section 3.2). */
import test from 'ava';
import { FileScope, type TestServer } from '../server/harness.ts';
import { message, RawClient } from './raw.ts';
import { startHttp1Server } from './server.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const steps = { path: '/*', pool: 'steps' };
  server = await startHttp1Server(scope, { routes: [{ ...steps, connect: true }] });
});
test.after.always(() => scope.end());

async function ask(t: Parameters<typeof RawClient.connect>[0], ...lines: string[]) {
  const client = await RawClient.connect(t, server.port);
  client.send(message(lines));
  const response = await client.response();
  return { client, response };
}

const readable: readonly (readonly [line: string, authority: string, path: string])[] = [
  ['GET /describe?a=b HTTP/1.1', 'field.example:81', '/describe?a=b'],
  // Characters that clients often send unescaped are accepted, since none of them is a delimiter of the
  // message.
  ['GET /describe?a="<>\\^`{|} HTTP/1.1', 'field.example:81', '/describe?a="<>\\^`{|}'],
  ['GET http://target.example/describe HTTP/1.1', 'target.example', '/describe'],
  ['GET HTTP://Target.example:8080/describe?q HTTP/1.1', 'Target.example:8080', '/describe?q'],
  ['GET http://[::1]:80/describe HTTP/1.1', '[::1]:80', '/describe'],
];

for (const [line, authority, path] of readable) {
  test(`the target URI is taken from the target, and from Host if the target has no authority (RFC 9112 section 3.3): ${line}`, async (t) => {
    const { response } = await ask(t, line, 'Host: field.example:81');
    t.is(response.status, 200);
    const request = JSON.parse(response.body);
    t.deepEqual([request.authority, request.path, request.scheme], [authority, path, 'http']);
    t.false(request.fields.some(([name]: [string]) => name === 'host'));
  });
}

test('an absolute target without a path is for the root (RFC 9112 section 3.2.1)', async (t) => {
  for (const target of ['http://target.example', 'http://target.example?q']) {
    const { response } = await ask(t, `GET ${target} HTTP/1.1`, 'Host: target.example');
    t.deepEqual([response.status, response.body], [404, 'no such step'], target);
  }
});

test('OPTIONS may ask for the server as a whole (RFC 9112 section 3.2.4)', async (t) => {
  for (const target of ['*', 'http://target.example']) {
    const { response } = await ask(t, `OPTIONS ${target} HTTP/1.1`, 'Host: target.example');
    // The application of `/*` answers it, and the connection continues.
    t.deepEqual(
      [response.status, response.body, response.fields.connection],
      [404, 'no such step', 'keep-alive'],
      target,
    );
  }
});

const malformed: readonly string[] = [
  'GET * HTTP/1.1',
  'GET describe HTTP/1.1',
  'GET ?a HTTP/1.1',
  'GET target.example:80 HTTP/1.1',
  'GET /describe#fragment HTTP/1.1',
  'GET http://target.example/#fragment HTTP/1.1',
  'GET /\xe9 HTTP/1.1',
  'GET /\x7f HTTP/1.1',
  'GET ftp://target.example/ HTTP/1.1',
  'GET http:///describe HTTP/1.1',
  'GET http://:80/describe HTTP/1.1',
  'GET http://user@target.example/ HTTP/1.1',
  'GET http://user:word@target.example/ HTTP/1.1',
  'GET http://target.example:99999/ HTTP/1.1',
  'GET http://target.example:8a/ HTTP/1.1',
  'GET http://[::1/ HTTP/1.1',
  'GET http://[1::2::3]/ HTTP/1.1',
  'GET http://a,b@c/ HTTP/1.1',
  'GET http:/describe HTTP/1.1',
  'OPTIONS *x HTTP/1.1',
  'CONNECT /describe HTTP/1.1',
  'CONNECT target.example HTTP/1.1',
  'CONNECT target.example: HTTP/1.1',
  'CONNECT user@target.example:80 HTTP/1.1',
  'CONNECT http://target.example:80 HTTP/1.1',
  'CONNECT :80 HTTP/1.1',
];

for (const line of malformed) {
  test(`400 and a closed connection: ${JSON.stringify(line)} (RFC 9112 section 3.2)`, async (t) => {
    const { client, response } = await ask(t, line, 'Host: field.example');
    t.deepEqual([response.status, response.fields.connection], [400, 'close']);
    t.is(await client.untilClosed(), '');
  });
}

test('a target of the other scheme is misdirected (RFC 9110 section 7.4)', async (t) => {
  const { client, response } = await ask(t, 'GET https://target.example/describe HTTP/1.1', 'Host: a');
  t.is(response.status, 421);
  t.is(await client.untilClosed(), '');
});

const hosts: readonly (readonly string[])[] = [
  [],
  ['Host:'],
  ['Host: a', 'Host: a'],
  ['Host: a', 'Host: b'],
  ['Host: a', 'hOST: b'],
  ['Host: user@a'],
  ['Host: http://a'],
  ['Host: a/b'],
  ['Host: a?b'],
  ['Host: a#b'],
  ['Host: a b'],
  ['Host: a, b'],
  ['Host: a\\b'],
  ['Host: a"b'],
  ['Host: a%zz'],
  ['Host: a:b'],
  ['Host: a:1:2'],
  ['Host: a:65536'],
  ['Host: ::1'],
  ['Host: [::1'],
  ['Host: [::g]'],
  ['Host: [1.2.3.4]'],
  ['Host: \xe9'],
];

for (const lines of hosts) {
  test(`400 and a closed connection: ${JSON.stringify(lines)} (RFC 9112 section 3.2)`, async (t) => {
    const { client, response } = await ask(t, 'GET /describe HTTP/1.1', ...lines);
    t.deepEqual([response.status, response.fields.connection], [400, 'close']);
    t.is(await client.untilClosed(), '');
  });
}

test('an absolute target does not replace a Host that is missing, repeated or wrong (RFC 9112 section 3.2)', async (t) => {
  for (const lines of [[], ['Host: a', 'Host: b'], ['Host: a/b']]) {
    const { response } = await ask(t, 'GET http://target.example/describe HTTP/1.1', ...lines);
    t.is(response.status, 400, lines.join());
  }
});

test('HTTP/1.0 needs no Host, but a Host that it sends is checked as strictly (RFC 9112 section 3.2)', async (t) => {
  const none = await ask(t, 'GET /describe HTTP/1.0');
  t.is(JSON.parse(none.response.body).authority, '');
  const one = await ask(t, 'GET /describe HTTP/1.0', 'Host: a');
  t.is(JSON.parse(one.response.body).authority, 'a');
  const two = await ask(t, 'GET /describe HTTP/1.0', 'Host: a', 'Host: b');
  t.is(two.response.status, 400);
});

for (const host of [
  'a:',
  'a:80',
  '1.2.3.4',
  '[::1]',
  '[::ffff:1.2.3.4]:80',
  'a_b',
  'xn--bcher-kva.example',
  'a%41',
]) {
  test(`a Host of ${JSON.stringify(host)} is valid (RFC 3986 section 3.2.2)`, async (t) => {
    const { response } = await ask(t, 'GET /describe HTTP/1.1', `Host: ${host}`);
    t.is(JSON.parse(response.body).authority, host);
  });
}

test('an empty Host is valid with a target that names the host, and in HTTP/1.0 (RFC 9112 section 3.3)', async (t) => {
  for (const line of ['GET http://a/describe HTTP/1.1', 'GET /describe HTTP/1.0']) {
    const { response } = await ask(t, line, 'Host:');
    t.is(response.status, 200, line);
  }
});
