/** clinic's own pages for profiles of a served application, as Chromium shows them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import anyTest from 'ava';
import type { BrowserContext } from 'playwright-core';
import { hasChromium, launchChromium } from '../browser/chromium.ts';
import { FileScope } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { heavy, type ProfiledServer, runProfile, startProfiledServer } from './profiled-server.ts';

const test = hasChromium ? anyTest.serial : anyTest.skip;
const scope = new FileScope();
let browser: BrowserContext;
let server: ProfiledServer;

if (hasChromium) {
  anyTest.before(async () => {
    server = await startProfiledServer(scope);
    browser = await launchChromium(scope, '');
  });
  anyTest.after.always(() => scope.end());
}

interface Page {
  readonly texts: readonly string[];
  readonly faults: readonly string[];
}

/** Opens a page and waits until it shows these texts, whatever else it shows meanwhile. */
async function drawn(file: string, wanted: readonly string[]): Promise<Page> {
  const page = await browser.newPage();
  // clinic truncates a name that does not fit its block.
  await page.setViewportSize({ width: 3_000, height: 900 });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  // clinic loads its fonts from its authors' server.
  await page.route(/^https?:/, (route) => route.abort());
  await page.addInitScript(`
    globalThis.drawnTexts = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
      globalThis.drawnTexts.push(String(text));
      return fillText.call(this, text, ...rest);
    };`);
  await page.goto(pathToFileURL(file).href);
  await page.waitForFunction(
    (names) =>
      names.every((name) => (globalThis as unknown as { drawnTexts: string[] }).drawnTexts.includes(name)),
    wanted,
  );
  const texts = await page.evaluate(() => (globalThis as unknown as { drawnTexts: string[] }).drawnTexts);
  await page.close();
  return { texts, faults };
}

test('clinic’s flame page has a block for each thread, and shows the hot function of a .ts file as application code', async (t) => {
  const command = runProfile(t, server, ['cpu']);
  await command.running;
  // Each of the three threads has the same amount of work.
  for (const pool of ['light', 'render', 'render', 'light', 'render', 'render']) {
    const answers = Array.from({ length: 4 }, () => requestHttp1(`${server.origin}/${pool}/hot/40`));
    for (const { status } of await Promise.all(answers)) t.is(status, 200);
  }
  const { code, stdout } = await command.interrupt();
  t.is(code, 0);
  const [merged = '', flame = ''] = stdout.split('\n');
  t.is(flame, join(command.output, 'profile.clinic-flame.html'));
  const { faults } = await drawn(flame, ['render-1', 'render-2', 'light-1', 'hotFunction']);
  t.deepEqual(faults, []);
  t.true(
    (await drawn(merged, ['hotFunction'])).texts.includes('hotFunction'),
    'and so has the page of our own',
  );
});

test('clinic’s heapprofiler page has a block for each thread', async (t) => {
  const command = runProfile(t, server, ['heap', '--pool', 'light']);
  await command.running;
  for (let i = 0; i < 4; i++) t.is((await requestHttp1(`${server.origin}/light/keep`)).status, 200);
  const { code } = await command.interrupt();
  t.is(code, 0);
  const page = join(command.output, 'profile.clinic-heapprofiler.html');
  const { faults } = await drawn(page, ['light-1', 'keepObjects']);
  t.deepEqual(faults, []);
  const html = readFileSync(page, 'utf8');
  t.true(html.includes(`"${heavy}"`), 'the file by its own name');
  t.false(html.includes('.js/..'));
});
