/**
 * docs/profiling.md, step by step: each planted fault of apps/profiling is found by the command given there,
 * in the command's output and in the page as Chromium shows it. The pictures of the guide are these pages:
 * SLUICE_PICTURES=docs/pictures writes them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { BrowserContext } from 'playwright-core';
import { hasChromium, launchChromium } from '../browser/chromium.ts';
import { FileScope } from '../server/harness.ts';
import { START } from './clinic-run.ts';
import { pageData, processSamples, recordedEvents } from './recorded.ts';

const config = fileURLToPath(new URL('../../apps/profiling/runtime.config.json', import.meta.url));
const scope = new FileScope();
let browser: BrowserContext;
let directory: string;

test.before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-guide-'));
  scope.teardown(() => rmSync(directory, { recursive: true }));
  browser = await launchChromium(scope, '');
  await browser.route(/^https?:/, (route) => route.abort());
});
test.after.always(() => scope.end());

interface Report {
  /** From standard output: the verdict, and the files. */
  readonly lines: readonly string[];
  readonly files: readonly string[];
}

async function sluice(t: ExecutionContext, tool: string, pool: string): Promise<Report> {
  t.timeout(120_000);
  const output = join(directory, tool);
  const temporary = join(directory, `${tool}-temporary`);
  mkdirSync(temporary);
  const words = [tool, '--config', config, '--pool', pool, '--load', `/${pool}`, '--seconds', '4'];
  const child = spawn(process.execPath, [START, ...words, '--output', output, '--address', '127.0.0.1:0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  t.is(code, 0, stderr);
  t.notRegex(stderr, /thread died|pool stopped|Error/);
  // Node's compile cache and the folder of control sockets are kept.
  const left = readdirSync(temporary).filter((name) => /clinic|trace|isolate/.test(name));
  t.deepEqual(left, []);
  const lines = stdout.trimEnd().split('\n');
  const files = lines.filter((line) => line.startsWith('/'));
  t.is(statSync(output).mode & 0o777, 0o700);
  for (const file of files) t.is(statSync(file).mode & 0o777, 0o600, file);
  return { lines, files };
}

/** The text of the page once it is drawn, and its picture. */
async function look(file: string, drawn: RegExp, picture: string): Promise<string> {
  const page = await browser.newPage();
  await page.setViewportSize({ width: 1_200, height: 700 });
  await page.goto(pathToFileURL(file).href);
  await page.getByText(drawn).first().waitFor();
  const pictures = process.env.SLUICE_PICTURES;
  const path = join(pictures === undefined ? directory : resolve(pictures), `${picture}.png`);
  await page.screenshot({ path });
  const text = (await page.locator('body').allInnerTexts()).join('\n');
  await page.close();
  return text;
}

const inChromium = hasChromium ? test.serial : test.skip;

inChromium('the hot spot: flame has each thread, and the function at fault on top', async (t) => {
  const { lines, files } = await sluice(t, 'flame', 'report');
  t.regex(lines[0] ?? '', /^report: threads bound: /);
  t.regex(lines[1] ?? '', /look at: sluice flame/);
  const text = await look(files[0] as string, /hottest frame/, 'flame');
  t.regex(text, /withoutDuplicates/);
  t.regex(text, /\/report\.ts/);
});

inChromium("the blocked event loop: doctor's page of a thread says so", async (t) => {
  const { lines, files } = await sluice(t, 'doctor', 'orders');
  t.regex(lines[0] ?? '', /^orders: blocked event loop: /);
  const names = files.map((file) => file.split('/').at(-1));
  t.deepEqual([...names].sort(), [
    ...['orders-1.clinic-doctor.html', 'orders-2.clinic-doctor.html', 'reactor.clinic-doctor.html'],
  ]);
  for (const file of files) {
    const data = file.slice(0, -'.html'.length);
    const times = (await processSamples(data)).map(({ timestamp }) => timestamp);
    t.true(times.length > 10, `${file}: ${times.length} samples`);
    t.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    const threads = recordedEvents(data).filter(({ cat }) => cat === 'v8');
    t.is(new Set(threads.map(({ tid }) => tid)).size, 1, file);
  }
  const orders = files.find((file) => file.includes('orders-')) as string;
  const delays = (await processSamples(orders.slice(0, -'.html'.length))).map(({ delay }) => delay);
  t.true(Math.max(...delays) > 20);
  t.regex(await look(orders, /Detected/, 'doctor'), /Event Loop Delay/);
  const { analysis } = pageData(orders) as { analysis: { issues: { delay: string } } };
  t.is(analysis.issues.delay, 'performance');
});

inChromium('the leak: heapprofiler has what keeps the memory on top', async (t) => {
  const { files } = await sluice(t, 'heapprofiler', 'visits');
  const text = await look(files[0] as string, /biggest allocation/, 'heapprofiler');
  t.regex(text, /rememberVisit|visits\.ts/);
});

test.serial("bubbleprof has the reactor's operations", async (t) => {
  const { files } = await sluice(t, 'bubbleprof', 'orders');
  t.is(files.length, 1);
  // Its page draws every operation, which takes too long on a busy machine.
  const { data } = pageData(files[0] as string) as {
    data: readonly { readonly nodes: readonly unknown[] }[];
  };
  t.true(data.flatMap(({ nodes }) => nodes).length > 20);
});
