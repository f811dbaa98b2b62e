/**
 * How long the page of a profile takes to open in Chromium, at the size of a busy server's profile: eight
 * threads for half a minute.
 */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { mergedPage } from '../../runtime/profiling/merged-page.ts';
import { hasChromium, launchChromium } from '../../test/browser/chromium.ts';
import { generateProfile } from '../../test/profiling/generated.ts';
import { FileScope } from '../../test/server/harness.ts';
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';

const SIZE = { threads: 8, seconds: 30, exchanges: 20_000 };
const MOST_MS = 3_000;
const MOST_MIB = 10;
/** Signals that it is drawn in the same way as the page of a profile. */
const EMPTY = '<!doctype html><html data-ready><title>empty</title>';

export const profilePage: Scenario = { name: 'profile-page', title: 'The page of a profile', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const names = { empty: 'an empty page', profile: 'the profile’s page' };
  const samples: Record<string, number[]> = { [names.empty]: [], [names.profile]: [] };
  const files = {
    [names.empty]: join(context.directory, 'empty.html'),
    [names.profile]: join(context.directory, 'profile.html'),
  };
  writeFileSync(files[names.empty] as string, EMPTY);
  writeFileSync(files[names.profile] as string, mergedPage(generateProfile(SIZE)));
  const mebibytes = statSync(files[names.profile] as string).size / 1_048_576;
  if (hasChromium) {
    const scope = new FileScope();
    try {
      const browser = await launchChromium(scope, '');
      for (let round = 0; round < context.rounds; round++) {
        for (const name of round % 2 === 0 ? Object.keys(files) : Object.keys(files).toReversed()) {
          const ms = await open(browser, files[name] as string);
          samples[name]?.push(ms);
          context.progress(`  round ${round + 1}: ${name}: ${ms.toFixed(0)} ms`);
        }
      }
    } finally {
      await scope.end();
    }
  } else context.progress('  left out: Chromium is not installed');
  return {
    method:
      `A profile as \`sluice profile cpu\` collects it, ${SIZE.threads} threads for ${SIZE.seconds} s with ${SIZE.exchanges} exchanges, made without a server. ` +
      'The time runs from the navigation of a new tab to the first frame after the page has reported that all lanes are drawn.',
    comparisons: [
      {
        title: 'time to open in Chromium',
        unit: 'ms',
        baseline: names.empty,
        samples: hasChromium ? samples : {},
        targets: hasChromium
          ? [{ contender: names.profile, of: 'value', bound: 'at most', limit: MOST_MS }]
          : [],
      },
      {
        title: 'size',
        unit: 'MiB',
        baseline: names.profile,
        samples: { [names.profile]: [mebibytes] },
        targets: [{ contender: names.profile, of: 'value', bound: 'at most', limit: MOST_MIB }],
      },
    ],
  };
}

async function open(browser: BrowserContext, file: string): Promise<number> {
  const page = await browser.newPage();
  try {
    const begin = performance.now();
    await page.goto(pathToFileURL(file).href);
    await page.locator('html[data-ready]').waitFor({ state: 'attached' });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    return performance.now() - begin;
  } finally {
    await page.close();
  }
}
