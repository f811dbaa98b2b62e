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
  return Math.round((probe * TARGET_WORK_MS) / measureWorkMs(probe, 21));
}

/** The median time of the work here, now, alone. Even one iteration takes some microseconds, because the call itself does. */
export function measureWorkMs(iterations: number, runs: number): number {
  work(iterations);
  const durations = Array.from({ length: runs }, () => {
    const start = performance.now();
    work(iterations);
    return performance.now() - start;
  });
  return median(durations);
}

/**
 * The number of iterations with which the work takes this many microseconds, including the call; at least
 * one.
 */
export function iterationsFor(microseconds: number, workIterations: number): number {
  const callMs = measureWorkMs(1, 2_001);
  const eachMs = (TARGET_WORK_MS - callMs) / workIterations;
  return Math.max(1, Math.round((microseconds / 1_000 - callMs) / eachMs));
}
