/** A browser over TLS: what only browsers do, and whether it does it over HTTP/2. */
import { createHash, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import anyTest from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { hasChromium, launchChromium } from './chromium.ts';

// Chromium is no small thing to ask for on one's own machine; CI has it.
const test = hasChromium ? anyTest.serial : anyTest.skip;
const scope = new FileScope();
let server: TestServer;
let origin: string;
let browser: BrowserContext;
const IMAGES = 100;
const HINT_PATIENCE_MS = 10_000;

if (hasChromium) {
  anyTest.before(async () => {
    const issued = await (await TestAuthority.create()).issue({ names: ['localhost'] });
    const certificate = new TestFiles(scope).certificate('page', issued);
    server = await startServer(scope, {
      listeners: [{ address: '127.0.0.1:0', tls: { certificates: [certificate] } }],
      pools: {
        page: {
          application: fileURLToPath(new URL('applications/page.ts', import.meta.url)),
          threads: { min: 1, max: 1 },
          exchangesPerThread: 256,
        },
      },
      routes: [{ path: '/*', pool: 'page', websocket: true }],
    });
    origin = `https://localhost:${server.port}`;
    const key = new X509Certificate(issued.cert).publicKey.export({ type: 'spki', format: 'der' });
    browser = await launchChromium(scope, createHash('sha256').update(key).digest('base64'));
  });
  anyTest.after.always(() => scope.end());
}

/** A path on which the application hears and tells the test. */
function path(name: string): string {
  return `${origin}${name}?signals=${server.signals.name}`;
}

async function open(name: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(path(name));
  return page;
}

test('a page streams an upload with fetch, and its pieces arrive before it has ended', async (t) => {
  const page = await open('/blank');
  await page.evaluate((url) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const answer = fetch(url, { method: 'POST', body: readable, duplex: 'half' } as RequestInit);
    Object.assign(globalThis, {
      upload: writable.getWriter(),
      answer: answer.then((response) => response.text()),
    });
  }, path('/upload'));
  await page.evaluate('void upload.write(new Uint8Array(1000))');
  await server.signals.until('read 1000');
  await page.evaluate('void upload.write(new Uint8Array(500))');
  await server.signals.until('read 1500');
  t.is(await page.evaluate('upload.close().then(() => answer)'), '2 1500');
  await page.close();
});

test('a page gets the error that comes in the midst of its upload (RFC 9113 section 8.1)', async (t) => {
  const page = await open('/blank');
  for (let round = 0; round < 5; round++) {
    const got = await page.evaluate(async (url) => {
      const response = await fetch(url, { method: 'POST', body: new Uint8Array(8_000_000) });
      return [response.status, await response.text()];
    }, path('/refused'));
    t.deepEqual(got, [413, 'too large']);
  }
  await page.close();
});

test('a page reads a response while it comes', async (t) => {
  const page = await open('/blank');
  const first = await page.evaluate(async (url) => {
    const reader = (await fetch(url)).body?.getReader();
    Object.assign(globalThis, { reader });
    return new TextDecoder().decode((await reader?.read())?.value);
  }, path('/stream'));
  t.is(first, 'first');
  server.signals.tell('go');
  const second = await page.evaluate('reader.read().then(({ value }) => new TextDecoder().decode(value))');
  t.is(second, 'second');
  await page.close();
});

test('a WebSocket of a page runs over HTTP/2 (RFC 8441)', async (t) => {
  const page = await open('/blank');
  const heard = await page.evaluate(
    (url) =>
      new Promise<unknown>((resolve, reject) => {
        const socket = new WebSocket(url);
        const messages: unknown[] = [];
        socket.onerror = () => reject(new Error('the WebSocket failed'));
        socket.onmessage = ({ data }) => {
          messages.push(data);
          if (messages.length === 1) socket.send('echo '.repeat(3));
          else socket.close(4000);
        };
        socket.onclose = ({ code, wasClean }) => resolve({ messages, code, wasClean });
      }),
    path('/socket').replace('https:', 'wss:'),
  );
  t.deepEqual(heard, { messages: ['2', 'echo '.repeat(3)], code: 4000, wasClean: true });
  await page.close();
});

test('what early hints name is fetched before the page has come (RFC 8297)', async (t) => {
  const page = await browser.newPage();
  const fetched = server.signals.until('style');
  let arrived: Promise<{ status(): number } | null>;
  // A hint is advice, and Chromium leaves one in some tens aside; the page waits for our word, so nothing else asks for it.
  for (let tries = 0; ; tries++) {
    arrived = page.goto(path('/hinted'));
    const isFetched = await Promise.race([fetched.then(() => true), delay(HINT_PATIENCE_MS, false)]);
    server.signals.tell('go');
    if (isFetched || tries === 2) break;
    await arrived;
  }
  await fetched;
  t.is((await arrived)?.status(), 200);
  t.is(await page.title(), 'hinted');
  await page.close();
});

test(`leaving a page with ${IMAGES} images that are still coming does no harm`, async (t) => {
  const page = await open('/blank');
  const port = (): Promise<string> =>
    page.evaluate((url) => fetch(url).then((response) => response.text()), path('/where'));
  const before = await port();
  await page.goto(path('/images'), { waitUntil: 'commit' });
  await server.signals.until('image asked for', IMAGES);
  await page.goto(path('/blank'));
  await server.signals.until('image reset by peer', IMAGES);
  t.is(await port(), before, 'the connection has ended');
  t.is(server.log.lines.filter(({ level }) => level === 'error').length, 0);
  await page.close();
});
