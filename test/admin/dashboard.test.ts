/** The dashboard in Chromium: what it shows while a load runs, what a click does after it has asked, by mouse and by keys, in light and dark and narrow. */
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext } from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { connectControl } from '../../runtime/control/find.ts';
import { hasChromium, launchChromium } from '../browser/chromium.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import { FileScope } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';

const test = hasChromium ? anyTest.serial : anyTest.skip;
const scope = new FileScope();
const PATIENCE = { timeout: 60_000 };
let browser: BrowserContext;
let server: ServerProcess;
let origin: string;
let link: () => Promise<string>;

if (hasChromium) {
  anyTest.before(async () => {
    browser = await launchChromium(scope, '');
    const variables = { XDG_RUNTIME_DIR: ownFolder(scope) };
    const application = fileURLToPath(new URL('applications/loaded.ts', import.meta.url));
    const pool = { application, minUptimeMs: 0, recycle: {} };
    server = startProcess(
      scope,
      {
        pools: { app: { ...pool, threads: 2 }, other: { ...pool, threads: 1 } },
        admin: { address: '127.0.0.1:0', maxSessions: 100 },
      },
      [],
      variables,
    );
    origin = await server.listening();
    const client = await connectControl(configOf({}, server.file), { environment: variables });
    scope.teardown(() => client.close());
    link = async () => ((await client.ask('POST', '/dashboard-links')) as { readonly url: string }).url;
  });
  anyTest.after.always(() => scope.end());
}

/** Shows a page that is in to the test, and holds that it has made no complaint. */
function shown(title: string, look: (t: ExecutionContext, page: Page) => Promise<void>): void {
  test(title, async (t) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // A refusal that a test provokes is shown on the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text());
    });
    await page.goto(await link());
    await page.locator('#live').waitFor(PATIENCE);
    await look(t, page);
    await page.close();
    t.deepEqual(complaints, []);
  });
}

function has(page: Page, selector: string, text: string | RegExp): Promise<void> {
  return page.locator(selector).filter({ hasText: text }).first().waitFor(PATIENCE);
}

test('a link lets in once, and leaves no trace in the address or the history', async (t) => {
  const page = await browser.newPage();
  const url = await link();
  await page.goto(url);
  await page.locator('#live').waitFor(PATIENCE);
  t.is(page.url(), `${new URL(url).origin}/`);
  const [cookie] = (await browser.cookies(page.url())).filter(({ name }) => name.startsWith('sluice-admin'));
  t.like(cookie, { httpOnly: true, sameSite: 'Strict' });
  t.is(await page.evaluate('document.cookie'), '');
  await browser.clearCookies();
  await page.goto('about:blank');
  await page.goto(url);
  await page.locator('#outside').waitFor(PATIENCE);
  t.regex((await page.locator('#message').textContent()) ?? '', /a link that was used or is too old/);
  await page.close();
});

shown(
  'while a load runs it shows rates, latencies, how full threads are, and what is stuck on whom',
  async (t, page) => {
    let isOver = false;
    const load = async (): Promise<void> => {
      while (!isOver) await requestHttp1(`${origin}/work`);
    };
    const loads = [load(), load(), load()];
    const stuck = request(`${origin}/read`, { method: 'POST', agent: false });
    stuck.on('error', () => undefined);
    stuck.write('part');
    await has(page, '#charts figure:has-text("Requests per second") .value', /^[1-9]/);
    await has(page, '#charts figure:has-text("Time in the application") .value', /\d ms$/);
    await has(page, '#charts figure:has-text("Wait for a thread") .value', /\d ms$/);
    t.is(await page.locator('#charts canvas').count(), 5);
    await has(page, '#exchanges tr:has-text("POST /read") .who', /^peer 127\.0\.0\.1:\d+$/);
    await has(page, '#exchanges tr:has-text("POST /read") .why', 'the client sends no more of its request');
    await page.locator('#exchanges tr[data-old]:has-text("POST /read")').waitFor(PATIENCE);
    const busy = page.locator('[data-pool=app] > .gauge meter').nth(1);
    await page.waitForFunction(
      (meter) => (meter as HTMLMeterElement).value > 0.05,
      await busy.elementHandle(),
      PATIENCE,
    );
    await page.locator('#scope').selectOption('other');
    await has(page, '#charts figure:has-text("Requests per second") .value', /^0\.0$/);
    isOver = true;
    stuck.destroy();
    await Promise.all(loads);
  },
);

shown('a click asks first, and is done when it is meant', async (t, page) => {
  await page.locator('[aria-label="Recycle thread other-1"]').click();
  await has(page, '#ask[open] h2', 'Recycle thread other-1?');
  await page.locator('#ask-no').click();
  await page.locator('#ask').waitFor({ state: 'hidden' });
  await page.locator('[aria-label="Recycle thread other-1"]').click();
  await page.locator('#ask-yes').click();
  await has(page, '#message', 'Recycle thread other-1: done');
  await page.locator('[aria-label="Recycle thread other-2"]').waitFor(PATIENCE);
  await has(page, '#events li', 'other-1 recycled: asked');
  t.is(
    await page.locator('#events li', { hasText: 'other-1 recycled' }).count(),
    1,
    'once, not when it was cancelled',
  );
  await page.locator('[aria-label="Resize pool other"]').click();
  t.is(await page.locator('#ask-max').inputValue(), '1');
  await page.locator('#ask-min').fill('2');
  await page.locator('#ask-max').fill('2');
  await page.locator('#ask-yes').click();
  await has(page, '[data-pool=other] > .facts', '2 threads (2)');
  await page.locator('[aria-label="Resize pool other"]').click();
  await page.locator('#ask-min').fill('3');
  await page.locator('#ask-max').fill('2');
  await page.locator('#ask-yes').click();
  await has(page, '#message[data-bad]', 'min no larger than max');
  await page.locator('[aria-label="Recycle pool other"]').click();
  await page.locator('#ask-yes').click();
  await has(page, '#message', 'Recycle pool other: done');
});

shown('by keys: reload, the theme, and Tab reaches what a mouse does', async (t, page) => {
  await page.keyboard.press('r');
  await has(page, '#ask[open] h2', 'Reload the server?');
  t.is(await page.evaluate('document.activeElement.id'), 'ask-no', 'Enter does nothing by mistake');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.locator('#help[open]').waitFor(PATIENCE);
  await page.keyboard.press('Enter');
  await page.keyboard.press('r');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await has(page, '#message', 'Reload the server: done');
  const backOf = () => page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>;
  const before = await backOf();
  await page.keyboard.press('t');
  t.not(await backOf(), before);
  await page.keyboard.press('t');
  t.is(await backOf(), before);
  // Elements stay while their numbers change: the one with the focus does not lose it.
  await page.locator('[aria-label="Recycle pool app"]').focus();
  const told = await page.locator('#server').textContent();
  await page.waitForFunction(
    (text) => document.getElementById('server')?.textContent !== text,
    told,
    PATIENCE,
  );
  t.is(await page.evaluate('document.activeElement.ariaLabel'), 'Recycle pool app');
});

shown('it fits a telephone, and everything on it has a name', async (t, page) => {
  await page.setViewportSize({ width: 360, height: 640 });
  t.is(await page.evaluate('document.documentElement.scrollWidth'), 360);
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('button, select, input, meter')]
      .filter((each) => {
        const { labels } = each as HTMLInputElement;
        return !each.textContent?.trim() && !each.getAttribute('aria-label') && (labels?.length ?? 0) === 0;
      })
      .map((each) => each.outerHTML),
  );
  t.deepEqual(nameless, []);
});

shown('a thread that dies is told of, with why', async (_t, page) => {
  await requestHttp1(`${origin}/die`).catch(() => undefined);
  await has(page, '#events li[data-what=died]', 'Error: as the test wants it');
  await has(page, '[data-pool=app] > .note', /died .* ago: Error: as the test wants it/);
});

shown('a page that is left open keeps no more than it has', async (t, page) => {
  const session = await browser.newCDPSession(page);
  /** After so many looks: elements, listeners and the heap without garbage. */
  const measure = async (looks: number) => {
    await page.evaluate(async (count) => {
      const text = () => document.getElementById('server')?.textContent;
      for (let i = 0; i < count; i++) {
        const before = text();
        while (text() === before) await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    }, looks);
    await session.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return { nodes, jsEventListeners, usedSize };
  };
  await measure(5);
  const before = await measure(5);
  const after = await measure(40);
  t.true(after.nodes <= before.nodes + 60, `${before.nodes} → ${after.nodes} elements`);
  t.true(after.jsEventListeners <= before.jsEventListeners + 10);
  t.true(after.usedSize < before.usedSize + 500_000, `${before.usedSize} → ${after.usedSize} bytes`);
});
