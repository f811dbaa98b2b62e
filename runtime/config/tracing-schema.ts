/** The configuration's `tracing`: spans for tracers, and Server-Timing for clients. */
import * as v from 'valibot';
import { flag, wholeNumber } from './fields.ts';

export const tracingSection = v.optional(
  v.pipe(
    v.strictObject(
      {
        spans: flag(
          "Whether each request gets OpenTelemetry spans, made in its thread by the application's own @opentelemetry/api.",
          true,
        ),
        serverTiming: flag(
          'Whether responses say in a Server-Timing field how long the request waited for a thread and how long the application took. Every client can see it.',
          false,
        ),
        maxUnsent: wholeNumber(
          'Spans of a thread that may wait for the end of their response. Beyond that the oldest one ends at once.',
          { from: 1, to: 1_000_000, byDefault: 4_096 },
        ),
      },
      'an object',
    ),
    v.description(
      'Spans and Server-Timing that show where the time of a request goes (see tracing.md). The section switches it on, even as {}. Default: off.',
    ),
  ),
);
