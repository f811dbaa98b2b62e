/** When threads are replaced, and what new threads do before they take work. */

import * as v from 'valibot';
import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

const off = { from: 0, to: Number.MAX_SAFE_INTEGER, byDefault: 0 } as const;

export const recycle = section(
  'When a healthy thread is replaced. The new one is started first; the old one then has reload.drainTimeoutMs to finish what it has. 0: never for that.',
  {
    maxExchanges: wholeNumber('After this many exchanges.', off),
    maxAgeMs: wholeNumber('At this age.', { ...off, to: maxTimerMs }),
    maxHeapBytes: wholeNumber('When this much of its heap is in use after a major garbage collection.', off),
    maxExternalBytes: wholeNumber(
      'When its objects hold this much memory outside of the heap, mostly Buffers, which resourceLimits do not count.',
      off,
    ),
    jitterPercent: wholeNumber(
      'By how much less each thread may have, by chance, so that not all are due at once.',
      { from: 0, to: 100, byDefault: 10 },
    ),
    maxAtOncePercent: wholeNumber('How many of the threads are replaced at a time; at least one.', {
      from: 1,
      to: 100,
      byDefault: 25,
    }),
  },
);

export const memorySection = section(
  'Keeps the process from the memory limit of its system, at which it would be killed: the largest thread is replaced in time, as by recycle.',
  {
    limitBytes: wholeNumber(
      'What the process may have. Default: the limit of its control group, or the memory of the machine.',
      { from: 1, to: Number.MAX_SAFE_INTEGER, byDefault: undefined },
    ),
    recycleAtPercent: wholeNumber('At how much of that a thread is replaced. 0: never.', {
      from: 0,
      to: 100,
      byDefault: 90,
    }),
    everyMs: wholeNumber('How long one is given to make a difference before the next.', {
      from: 1_000,
      to: maxTimerMs,
      byDefault: 30_000,
    }),
  },
);

const path = 'a path such as "/"';
const host = 'a host name';

export const warmUp = v.optional(
  v.pipe(
    v.array(
      v.strictObject(
        {
          method: v.optional(
            v.pipe(
              v.picklist(['GET', 'HEAD', 'OPTIONS'], '"GET", "HEAD", "OPTIONS"'),
              v.description('A safe one.'),
            ),
            'GET',
          ),
          path: v.pipe(v.string(path), v.regex(/^\/[^\s#]*$/, path), v.description('With its query.')),
          host: v.optional(
            v.pipe(v.string(host), v.regex(/^[^\s/]+$/, host), v.description('The host asked for.')),
            'localhost',
          ),
        },
        'an object with a path',
      ),
      'an array of requests',
    ),
    v.maxLength(100, 'at most 100 requests'),
    v.description(
      'Requests that each thread answers before it takes others, one after the other, within startTimeoutMs. An answer of 500 or above is a failure to load.',
    ),
  ),
  [],
);
