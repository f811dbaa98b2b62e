/** The configuration's `health`: paths of probes for load balancers and orchestrators. */
import * as v from 'valibot';
import { maxTimerMs } from './duration.ts';
import { section, wholeNumber } from './fields.ts';

const expected = 'a path such as "/livez"';

function path(description: string) {
  return v.optional(
    v.pipe(v.string(expected), v.regex(/^\/[^\s?#*]*$/, expected), v.description(description)),
  );
}

export const healthSection = section(
  'Paths that the server answers itself, before any route, on every listener without health: false (see health.md).',
  {
    live: path('Answers 200 as long as the server runs. Default: none.'),
    ready: path(
      'Answers 200 if every pool that is not optional has a thread that is ready; 503 otherwise, and from the first SIGTERM on. Default: none.',
    ),
    unresponsiveMs: wholeNumber(
      'A thread whose event loop has not come around for this long does not count as ready.',
      { from: 100, to: maxTimerMs, byDefault: 10_000 },
    ),
  },
);
