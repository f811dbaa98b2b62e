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
  'Paths that the server answers itself, on every listener that does not say health: false, before any route (see health.md).',
  {
    live: path('Answers 200 while the server runs at all. Default: none; the path goes to the routes.'),
    ready: path(
      'Answers 200 when every pool that is not optional has a thread that answers, 503 otherwise and from the first SIGTERM on. Default: none.',
    ),
    unresponsiveMs: wholeNumber(
      'A thread that computes and has let no loop of its own come around for this long does not count as one that answers.',
      { from: 100, to: maxTimerMs, byDefault: 10_000 },
    ),
  },
);
