/** Durations as people type them in flags and variables: a whole number and its unit. */

import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';

/** Node's timers use a signed 32-bit integer. Beyond it they fire at once. */
export const maxTimerMs = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds, or what is wrong. A bare number is refused, because `30` could mean seconds or milliseconds. */
export function parseDuration(text: string, where: string): number | ConfigProblem {
  const match = /^(\d{1,10})(ms|s|m|h)$/.exec(text);
  const durationMs = match === null ? Number.NaN : Number(match[1]) * unitMs[match[2]];
  if (durationMs <= maxTimerMs) return durationMs;
  const expected = 'a duration such as 500ms, 30s, 2m or 1h';
  const received = describeValue(text);
  const code = ConfigErrorCode.WrongValue;
  if (/^\d+$/.test(text)) return { code, where, expected, received, hint: `the unit is missing: ${text}s?` };
  if (Number.isNaN(durationMs)) return { code, where, expected, received };
  return {
    code,
    where,
    expected,
    received,
    hint: 'the longest is 596h (a signed 32-bit count of milliseconds)',
  };
}

/** The shortest exact text of a duration: `30s`, `1500ms`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['h', 'm', 's']) {
    if (durationMs > 0 && durationMs % unitMs[unit] === 0) return `${durationMs / unitMs[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}
