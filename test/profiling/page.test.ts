/** The page of a profile in Chromium, at the size of a busy server's: eight threads over half a minute. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import anyTest from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { mergedPage } from '../../runtime/profiling/merged-page.ts';
import { hasChromium, launchChromium } from '../browser/chromium.ts';
import { FileScope } from '../server/harness.ts';
import { generateProfile } from './generated.ts';

const test = hasChromium ? anyTest.serial : anyTest.skip;
const scope = new FileScope();
const MOST_BYTES = 10 * 1024 * 1024;
let browser: BrowserContext;
let file: string;

if (hasChromium) {
  anyTest.before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
    scope.teardown(() => rmSync(folder, { recursive: true }));
    file = join(folder, 'profile.html');
    writeFileSync(file, mergedPage(generateProfile({ threads: 8, seconds: 30, exchanges: 20_000 })));
    browser = await launchChromium(scope, '');
  });
  anyTest.after.always(() => scope.end());
}

interface Opened {
  readonly page: Page;
  /** Errors that the page reported, and requests that it made. */
  readonly faults: readonly string[];
}

async function open(): Promise<Opened> {
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) faults.push(request.url());
  });
  await page.goto(pathToFileURL(file).href);
  await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  return { page, faults };
}

test('eight threads for thirty seconds make a page of at most ten megabytes', (t) => {
  const { size } = statSync(file);
  t.true(size <= MOST_BYTES, `${size} bytes`);
});

test('every thread has a lane under its name, and the page is self-contained', async (t) => {
  const { page, faults } = await open();
  const names = await page.locator('section h2').allTextContents();
  const threads = Array.from({ length: 7 }, (_, index) => `render-${index + 1}`);
  t.deepEqual(names, ['pool render', ...threads, 'reactor']);
  await page.locator('#functions tr').first().waitFor();
  t.regex((await page.locator('#functions tr').first().textContent()) ?? '', /function\d+/);
  t.deepEqual(faults, []);
  await page.close();
});

interface Drawn {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** Whether anything is drawn on a canvas. */
function isDrawn(page: Page, label: string): Promise<boolean> {
  return page.locator(`canvas[aria-label="${label}"]`).evaluate((element) => {
    const { width, height, getContext } = element as unknown as Drawn;
    const context = getContext.call(element, '2d');
    return context.getImageData(0, 0, width, height).data.some((value) => value !== 0);
  });
}

test('stacks and waits are drawn when zoomed in and out, light and dark', async (t) => {
  const { page, faults } = await open();
  const scope = page.locator('#scope');
  await scope.filter({ hasText: 'all threads, 0 µs to 30.0 s' }).waitFor();
  t.true(await isDrawn(page, 'stacks of render-1 over time'));
  t.true(await isDrawn(page, 'exchanges of render-1'));
  t.true(await isDrawn(page, 'exchanges of pool render by phase, over time'));
  for (let i = 0; i < 10; i++) await page.keyboard.press('w');
  await scope.filter({ hasNotText: '0 µs' }).waitFor();
  t.true(await isDrawn(page, 'stacks of render-1 over time'));
  await page.keyboard.press('0');
  await scope.filter({ hasText: '0 µs to 30.0 s' }).waitFor();
  const themeOf = () => page.locator('html').getAttribute('data-theme');
  const before = await themeOf();
  await page.keyboard.press('t');
  t.not(await themeOf(), before);
  t.deepEqual(faults, []);
  await page.close();
});

test('the keyboard finds a function by name and folds a lane', async (t) => {
  const { page } = await open();
  await page.keyboard.press('/');
  await page.keyboard.type('function7');
  await page.locator('#functions tr').first().filter({ hasText: 'function7' }).waitFor();
  for (const text of await page.locator('#functions td:nth-child(4)').allTextContents())
    t.regex(text, /function7/);
  await page.keyboard.press('Escape');
  const head = page.getByRole('button', { name: /^render-1/ });
  await head.focus();
  await page.keyboard.press('Enter');
  t.is(await head.getAttribute('aria-expanded'), 'false');
  await page.close();
});
