/**
 * Takes the pictures of docs/samples.md: starts the sample applications with a certificate of their own and drives Chromium.
 *
 *   npx node docs/take-screenshots.ts [FOLDER]     default: docs/pictures
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = process.argv[2] ?? join(root, 'docs/pictures');
const WIDE = { width: 1040, height: 620 };
const NARROW = { width: 390, height: 700 };

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly size: typeof WIDE;
  readonly scheme: 'light' | 'dark';
  readonly act?: (page: Page) => Promise<void>;
}

async function demonstrate(page: Page): Promise<void> {
  await page.click('#demonstrate');
  await page.locator('#verdict', { hasText: 'A light request took' }).waitFor();
}

const pictures: readonly Picture[] = [
  { name: 'sample-index-light', path: '/', size: WIDE, scheme: 'light', act: demonstrate },
  { name: 'sample-index-dark', path: '/', size: WIDE, scheme: 'dark', act: demonstrate },
  { name: 'sample-index-narrow', path: '/', size: NARROW, scheme: 'light', act: demonstrate },
  {
    name: 'sample-report',
    path: '/report',
    size: NARROW,
    scheme: 'dark',
    async act(page) {
      await page.fill('#numbers', '400000');
      await page.click('#run');
      await page.locator('#result', { hasText: 'primes' }).waitFor();
    },
  },
  {
    name: 'sample-thumbnail',
    path: '/thumbnail',
    size: NARROW,
    scheme: 'light',
    async act(page) {
      await page.click('#form button');
      await page.locator('#report', { hasText: 'pixels' }).waitFor();
    },
  },
];

const server = spawn(process.execPath, ['runtime/cli.ts', 'start', '--address', '127.0.0.1:0', '--dev-tls'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
let browser: Browser | undefined;
try {
  const origin = `https://${await addressOf()}`;
  browser = await chromium.launch({
    executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  mkdirSync(folder, { recursive: true });
  for (const { name, path, size, scheme, act } of pictures) {
    const context = await browser.newContext({
      viewport: size,
      colorScheme: scheme,
      ignoreHTTPSErrors: true,
    });
    const page = await context.newPage();
    await page.goto(origin + path);
    await act?.(page);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
    console.log(join(folder, `${name}.png`));
  }
} finally {
  await browser?.close();
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}

async function addressOf(): Promise<string> {
  for await (const line of createInterface({ input: server.stdout })) {
    const { address } = JSON.parse(line) as { readonly address?: string };
    if (address === undefined) continue;
    // The reader is closed by leaving the loop; what the server says from now on must not fill the pipe.
    server.stdout.resume();
    return address;
  }
  throw new Error('expected the sample applications to listen, got their end');
}
