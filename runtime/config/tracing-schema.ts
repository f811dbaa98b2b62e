/** The configuration's `tracing`: spans for tracers, and Server-Timing for clients. */
import * as v from 'valibot';
import { flag, wholeNumber } from './fields.ts';

export const tracingSection = v.optional(
  v.pipe(
    v.strictObject(
      {
        spans: flag(
          "Whether requests get OpenTelemetry spans, in their threads, by the application's own @opentelemetry/api.",
          true,
        ),
        serverTiming: flag(
          'Whether responses say in a Server-Timing field how long the request waited for a thread and how long the application took. Whoever asks sees it.',
          false,
        ),
        maxUnsent: wholeNumber(
          'Spans of a thread that may wait until their response has been sent; the oldest ends without that when there are more.',
          { from: 1, to: 1_000_000, byDefault: 4_096 },
        ),
      },
      'an object',
    ),
    v.description(
      'Where the time of a request goes (see tracing.md). It is there when this section is, if only as {}. Default: none.',
    ),
  ),
);
