/** A number of threads as flags and variables give it: `4` for exactly four, `1-4` for a range. */

import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';

export interface ThreadRange {
  readonly min: number;
  readonly max: number;
}

/** A larger number is certainly a typing error on today's machines. */
export const maxThreads = 1_024;

export function parseThreadRange(text: string, where: string): ThreadRange | ConfigProblem {
  const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text);
  const min = match === null ? Number.NaN : Number(match[1]);
  const max = match?.[2] === undefined ? min : Number(match[2]);
  if (min >= 1 && max >= min && max <= maxThreads) return { min, max };
  const expected = `a number of threads such as 4, or a range such as 1-4, from 1 to ${maxThreads}`;
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text) };
}

/** `1 thread`, `4 threads`, `1-4 threads`. */
export function describeThreads({ min, max }: ThreadRange): string {
  return `${min === max ? min : `${min}-${max}`} ${max === 1 ? 'thread' : 'threads'}`;
}
