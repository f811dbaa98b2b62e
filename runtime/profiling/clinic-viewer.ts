/** clinic's own pages of our data, by `clinic TOOL --visualize-only`, where clinic is installed. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CLINIC_VERSION } from './clinic-data.ts';

export type ClinicPage = { readonly path: string } | { readonly missing: string };

/** It bundles a page with browserify, and takes some seconds for that. */
const PATIENCE_MS = 120_000;
const MOST_OUTPUT_CHARACTERS = 2_000;

/**
 * @param data what clinic reads; the page is made beside it
 * @param places paths or URLs of files in the projects whose clinic it may be, in that order
 */
export async function renderWithClinic(
  tool: 'flame' | 'heapprofiler',
  data: string,
  places: readonly string[],
  signal: AbortSignal,
): Promise<ClinicPage> {
  const clinic = findClinic(places);
  if (clinic === null) {
    const install = `npm install --save-dev --save-exact clinic@${CLINIC_VERSION}`;
    return { missing: `clinic is not installed: \`${install}\`, then \`${byHand(tool, data)}\`` };
  }
  if (clinic.version !== CLINIC_VERSION) {
    return {
      missing: `expected clinic ${CLINIC_VERSION}, whose format the data have, found ${clinic.version}; \`${byHand(tool, data)}\` may work all the same`,
    };
  }
  const failure = await run([clinic.path, tool, '--visualize-only', data], signal);
  if (failure === null) return { path: `${data}.html` };
  return { missing: `clinic made no page: ${failure}` };
}

function byHand(tool: string, data: string): string {
  return `npx clinic ${tool} --visualize-only ${data}`;
}

function findClinic(places: readonly string[]): { readonly path: string; readonly version: string } | null {
  for (const place of places) {
    try {
      const manifest = createRequire(place).resolve('clinic/package.json');
      const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8'));
      return { path: join(dirname(manifest), bin.clinic), version };
    } catch {
      // Not there: the other place is, or none.
    }
  }
  return null;
}

/** @returns why it failed; null: it has not */
function run(words: readonly string[], signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, {
      // It would send what it is used for to its authors, and ask whether it is the newest.
      env: { ...process.env, NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      timeout: PATIENCE_MS,
    });
    let output = '';
    const keep = (text: string): void => {
      output = (output + text).slice(-MOST_OUTPUT_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, by) => resolve(code === 0 ? null : `it ended with ${code ?? by}: ${output}`));
  });
}
