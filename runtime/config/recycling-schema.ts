/** When threads are replaced, and what new threads do before they take work. */

import * as v from 'valibot';
import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

const off = { from: 0, to: Number.MAX_SAFE_INTEGER, byDefault: 0 } as const;

export const recycle = section(
  'When a healthy thread is replaced. The new one starts first; the old one then has reload.drainTimeoutMs to finish its exchanges. 0: never for this reason.',
  {
    maxExchanges: wholeNumber('After this many exchanges.', off),
    maxAgeMs: wholeNumber('At this age.', { ...off, to: maxTimerMs }),
    maxHeapBytes: wholeNumber('When this much of its heap is in use after a major garbage collection.', off),
    maxExternalBytes: wholeNumber(
      'When its objects hold this much memory outside of the heap, mostly Buffers, which resourceLimits do not count.',
      off,
    ),
    jitterPercent: wholeNumber(
      "Each thread's limits are lower by a random percentage of at most this, so that not all threads are due at once.",
      { from: 0, to: 100, byDefault: 10 },
    ),
    maxAtOncePercent: wholeNumber(
      'The share of the threads that may be replaced at a time; at least one thread.',
      {
        from: 1,
        to: 100,
        byDefault: 25,
      },
    ),
  },
);

export const memorySection = section(
  'Replaces the largest thread, like recycle, before the process reaches the memory limit at which the system would kill it.',
  {
    limitBytes: wholeNumber(
      'The memory that the process may use. Default: the limit of its control group, or the memory of the machine.',
      { from: 1, to: Number.MAX_SAFE_INTEGER, byDefault: undefined },
    ),
    recycleAtPercent: wholeNumber('At which share of limitBytes a thread is replaced. 0: never.', {
      from: 0,
      to: 100,
      byDefault: 90,
    }),
    everyMs: wholeNumber('How long the guard waits after one thread before it replaces the next.', {
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
              v.description('A safe method.'),
            ),
            'GET',
          ),
          path: v.pipe(
            v.string(path),
            v.regex(/^\/[^\s#]*$/, path),
            v.description('The request target: path and query.'),
          ),
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
      'Requests that each new thread answers, one after the other, before it takes work. They have to be over within startTimeoutMs. A response of 500 or above counts as a failure to load.',
    ),
  ),
  [],
);
