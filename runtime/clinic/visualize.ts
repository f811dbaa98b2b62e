/** Makes a clinic page of existing data: `clinic TOOL --visualize-only`. */
import { spawn } from 'node:child_process';
import type { ClinicTool } from './injected.ts';
import type { Clinic } from './installed.ts';

/** clinic bundles a page with browserify, which takes some seconds. */
const PATIENCE_MS = 120_000;
const MOST_OUTPUT_CHARACTERS = 2_000;

/**
 * The page is `DATA.html`.
 * @param signal aborts: do not wait for clinic any longer
 * @returns why there is no page; null: it was made
 */
export function visualize(
  clinic: Clinic,
  tool: ClinicTool,
  data: string,
  signal?: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [clinic.command, tool, '--visualize-only', data], {
      // Otherwise clinic would report its use to its authors and check for a newer version.
      env: { ...process.env, NO_INSIGHT: '1', NO_UPDATE_NOTIFIER: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
      ...(signal && { signal }),
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
