/**
 * The CPU work that represents an application's own: deterministic, native, without garbage, and the same
 * function in every server. The number of iterations that take about three milliseconds is calibrated once
 * per run and sent in the request's path, so no server can do less.
 */
import { pbkdf2Sync } from 'node:crypto';
import { median } from './statistics.ts';

export const TARGET_WORK_MS = 3;

/** Does the work and returns its proof: a line of 64 hexadecimal digits. */
export function work(iterations: number): string {
  return `${pbkdf2Sync('sluice', 'bench', iterations, 32, 'sha256').toString('hex')}\n`;
}

/** Iterations that take `TARGET_WORK_MS` here, now, with nothing else running. */
export function calibrateWork(): number {
  const probe = 2_000;
  work(probe);
  const durations = Array.from({ length: 21 }, () => {
    const start = performance.now();
    work(probe);
    return performance.now() - start;
  });
  return Math.round((probe * TARGET_WORK_MS) / median(durations));
}
