/** Pages of the sample applications that show which thread did what, in a browser. */
import anyTest from 'ava';
import type { BrowserContext } from 'playwright-core';
import { SampleServer } from '../apps/sample-server.ts';
import { FileScope } from '../server/harness.ts';
import { hasChromium, launchChromium } from './chromium.ts';

const test = hasChromium ? anyTest.serial : anyTest.skip;
const PAGES = [
  '/',
  '/hash',
  '/echo',
  '/render',
  '/thumbnail',
  '/counter',
  '/report',
  '/chat',
  '/middleware',
  '/notify',
];

const scope = new FileScope();
let server: SampleServer;
let browser: BrowserContext;

if (hasChromium) {
  anyTest.before(async () => {
    server = await SampleServer.start();
    scope.teardown(() => server.stop());
    browser = await launchChromium(scope, '');
  });
  anyTest.after.always(() => scope.end());
}

test('two pages talk in a room, and each line says where its sender is and who has told it', async (t) => {
  const [one, other] = [await browser.newPage(), await browser.newPage()];
  for (const page of [one, other]) {
    await page.goto(`${server.origin}/chat?room=browsers`);
    await page.locator('#lines', { hasText: 'welcome to browsers' }).waitFor();
  }
  await one.fill('#line', 'hello <b>there</b>');
  await one.press('#line', 'Enter');
  const line = other.locator('#lines div', { hasText: 'hello <b>there</b>' });
  await line.waitFor();
  t.regex((await line.textContent()) ?? '', /^thread \d+( → \d+)?guest \d+\.\d+: hello <b>there<\/b>$/);
  await one.close();
  await other.close();
});

test('a counter is pushed, and lives on one thread', async (t) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/counter`);
  await page.fill('#name', 'browsed');
  await page.click('#many');
  await page.locator('#count', { hasText: /^100$/ }).waitFor();
  t.regex(
    (await page.textContent('#threads')) ?? '',
    /the counter: thread \d+, its instance no\. 1\nasked by\n {2}thread/,
  );
  await page.close();
});

test('a report shows its parts and its result, and one that is stopped says so', async (t) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/report`);
  await page.fill('#numbers', '320000');
  await page.click('#run');
  await page.locator('#result', { hasText: /^\d+ primes, at most \d+ apart$/ }).waitFor();
  t.is(await page.locator('#parts progress').count(), 8);
  t.regex((await page.textContent('#threads')) ?? '', /^thread \d+ has looked at \d+ numbers/);
  await page.fill('#numbers', '50000000');
  await page.click('#run');
  await page.locator('#parts span', { hasText: 'primes' }).first().waitFor();
  await page.click('#stop');
  await page.locator('#result', { hasText: 'stopped' }).waitFor();
  await page.close();
});

test('the front page runs its requests on one thread and then on several, and shows what light ones met', async (t) => {
  const page = await browser.newPage();
  await page.goto(server.origin);
  t.true(await page.locator('#notice').isVisible(), 'over HTTP/1.1 it says how to see it over HTTP/2');
  await page.click('#demonstrate');
  await page.locator('#verdict', { hasText: 'A light request took' }).waitFor();
  t.is(await page.locator('#loop-bars rect').count(), 64);
  t.is(await page.locator('#pool-bars rect').count(), 64);
  t.is(await page.getAttribute('#loop-bars svg', 'aria-label'), '64 requests on 1 thread');
  t.regex((await page.textContent('#verdict')) ?? '', /^The pool ran the requests on \d+ threads?\./);
  t.is(await page.locator('#pool-figures tr').count(), 3);
  await page.close();
});

test('each page says which thread has answered, how long the request waited and how long it ran', async (t) => {
  const page = await browser.newPage();
  for (const path of PAGES) {
    await page.goto(server.origin + path);
    const told = page.locator('#told', { hasText: 'was answered by thread' });
    await told.waitFor();
    t.regex((await told.textContent()) ?? '', /thread \d+: waited \d+\.\d ms, ran \d+\.\d ms$/, path);
    t.is(await page.locator('nav img[src="/favicon.svg"]').count(), 1, path);
  }
  await page.close();
});

test('a thumbnail is uploaded with its progress', async (t) => {
  const page = await browser.newPage();
  await page.goto(`${server.origin}/thumbnail`);
  await page.click('#form button');
  await page.locator('#report', { hasText: /^200 × \d+ pixels, \d+ bytes instead of \d+/ }).waitFor();
  t.is(await page.evaluate("document.getElementById('progress').value"), 1);
  await page.close();
});

test('no page is wider than a phone', async (t) => {
  const page = await browser.newPage();
  await page.setViewportSize({ width: 360, height: 700 });
  for (const path of PAGES) {
    await page.goto(server.origin + path);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    t.true(Number(width) <= 360, `${path}: ${width}`);
  }
  await page.close();
});
