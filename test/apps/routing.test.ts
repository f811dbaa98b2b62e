import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import test from 'ava';
import echo from '../../apps/echo/app.ts';
import hash from '../../apps/hash/app.ts';
import hello from '../../apps/hello/app.ts';
import index from '../../apps/index/app.ts';
import render from '../../apps/render/app.ts';
import thumbnail from '../../apps/thumbnail/app.ts';
import type { Application } from '../../workers/gateway.ts';
import { ask } from './memory-exchange.ts';

const APPLICATIONS: readonly { path: string; application: Application; allow: string }[] = [
  { path: '/', application: index, allow: 'GET, HEAD' },
  { path: '/hello', application: hello, allow: 'GET, HEAD' },
  { path: '/echo', application: echo, allow: 'GET, HEAD, POST, PUT' },
  { path: '/hash', application: hash, allow: 'GET, HEAD, POST' },
  { path: '/hash/verify', application: hash, allow: 'POST' },
  { path: '/render', application: render, allow: 'GET, HEAD, POST' },
  { path: '/thumbnail', application: thumbnail, allow: 'GET, HEAD, POST' },
  { path: '/thumbnail/sample.png', application: thumbnail, allow: 'GET, HEAD' },
];

for (const { path, application, allow } of APPLICATIONS) {
  test(`${path} answers an unsupported method with 405 and names the supported ones`, async (t) => {
    const response = await ask(application, { method: 'DELETE', path });
    t.is(response.status, 405);
    t.is(response.fields.get('allow'), allow);
    t.is((await ask(application, { method: 'constructor', path })).status, 405);
  });

  if (allow.startsWith('GET')) {
    test(`${path} answers HEAD as it answers GET`, async (t) => {
      const get = await ask(application, { path });
      const head = await ask(application, { method: 'HEAD', path });
      t.is(get.status, 200);
      t.is(head.status, 200);
      t.deepEqual([...head.fields], [...get.fields]);
    });

    test(`${path} may carry a query`, async (t) => {
      t.is((await ask(application, { path: `${path}?x=1` })).status, 200);
    });
  }
}

for (const { path, application } of APPLICATIONS.filter(({ path }) => !path.includes('/', 1))) {
  test(`a path not under ${path} is answered with 404`, async (t) => {
    const below = path === '/' ? '/nothing' : `${path}/nothing`;
    for (const wrong of [below, `${path}x`, '/__proto__', '/constructor', '*']) {
      t.is((await ask(application, { path: wrong })).status, 404, wrong);
    }
  });
}

for (const { path, application } of APPLICATIONS.filter(
  (one) => one.path !== '/hello' && !one.path.includes('/', 1),
)) {
  test(`the page at ${path} makes no request elsewhere and lets only its own script run`, async (t) => {
    const { text, fields } = await ask(application, { path });
    t.is(fields.get('content-type'), 'text/html; charset=utf-8');
    t.regex(text, /^<!doctype html>\n<html lang="en">/);
    t.notRegex(text, /(?:src|href)="(?!\/|#|data:,")/);
    const policy = fields.get('content-security-policy') ?? '';
    t.regex(policy, /default-src 'none'/);
    t.notRegex(policy, /script-src[^;]*unsafe/);
    t.is(text.includes('<script'), policy.includes("script-src 'sha256-"));
  });
}

test('hello says hello', async (t) => {
  const response = await ask(hello, { path: '/hello' });
  t.is(response.text, 'hello, world\n');
  t.is(response.fields.get('content-length'), String(response.bytes.length));
});

test('the index writes its commands for the requested authority', async (t) => {
  const { text } = await ask(index, { path: '/', authority: 'sluice.example:9000' });
  t.true(text.includes('curl -s --http2-prior-knowledge -i http://sluice.example:9000/hello'));
  t.true((await ask(index, { path: '/', authority: '[::1]:8080' })).text.includes('http://[::1]:8080/hello'));
});

test('the index never puts an authority into a command that a shell or a page could misread', async (t) => {
  for (const authority of ['$(reboot)', 'a;b', '"><script>', "a'b", '', 'a b']) {
    const { text } = await ask(index, { path: '/', authority });
    t.true(text.includes('http://127.0.0.1:8080/hello'), authority);
    t.notRegex(text, /reboot|"><script>/);
  }
});

test('the index accepts http and https in a command, and no other scheme', async (t) => {
  const secure = await ask(index, { path: '/', scheme: 'https', authority: 'sluice.example' });
  t.true(secure.text.includes('curl -s --http2 -i https://sluice.example/hello'));
  const other = await ask(index, { path: '/', scheme: '$(reboot)', authority: 'sluice.example' });
  t.true(other.text.includes('curl -s --http2-prior-knowledge -i http://sluice.example/hello'));
  t.false(other.text.includes('reboot'));
});

test('the commands of the index accept a certificate made for this machine, and of others only a signed one', async (t) => {
  for (const [authority, is] of [
    ['127.0.0.1:8443', true],
    ['sluice.example', false],
  ] as const) {
    const { text } = await ask(index, { path: '/', scheme: 'https', authority });
    t.is(text.includes('NODE_TLS_REJECT_UNAUTHORIZED=0 node --experimental-websocket'), is, authority);
    t.is(text.includes('curl -s -k --http2'), is, authority);
  }
});

test('the script of every page parses, and is the one named in its policy', async (t) => {
  let scripts = 0;
  for (const { path, application } of APPLICATIONS) {
    const { text, fields } = await ask(application, { path });
    const script = /<script type="module">([\s\S]*?)<\/script>/.exec(text)?.[1];
    if (script === undefined) continue;
    scripts++;
    t.notThrows(() => new Script(script), path);
    const digest = createHash('sha256').update(script).digest('base64');
    t.true(fields.get('content-security-policy')?.includes(`'sha256-${digest}'`), path);
  }
  t.is(scripts, 5);
});

test('the page for 404 shows the path without running it', async (t) => {
  const { text, status } = await ask(index, { path: '/<script>alert(1)</script>' });
  t.is(status, 404);
  t.true(text.includes('&lt;script&gt;'));
  t.false(text.includes('<script>'));
});
