/** The configuration's `topics` and their limits. Checks against the rings are in topics.ts. */
import * as v from 'valibot';
import { wholeNumber } from './fields.ts';
import { payloadFields } from './payload-fields.ts';

const gibibyte = 1_073_741_824;

function bytes(description: string, byDefault: number) {
  return wholeNumber(description, { from: 256, to: gibibyte, byDefault });
}

export const topicsSchema = v.pipe(
  v.strictObject(
    {
      maxTopics: wholeNumber(
        'Topics that have subscriptions, in the whole process. Subscriptions to more are refused.',
        { from: 1, to: 10_000_000, byDefault: 100_000 },
      ),
      maxSubscriptions: wholeNumber('Subscriptions of one thread. More are refused.', {
        from: 1,
        to: 10_000_000,
        byDefault: 100_000,
      }),
      maxMessageBytes: wholeNumber('Bytes of a message.', { from: 256, to: 33_000_000, byDefault: 65_536 }),
      ...payloadFields,
      threadBytes: bytes(
        'Bytes of messages that wait for one thread that does not read. Beyond that the oldest are dropped, and counted as missed.',
        4_194_304,
      ),
      subscriptionBytes: bytes(
        'Bytes of messages that wait in one subscription. With this many it is full, as with capacity messages.',
        1_048_576,
      ),
      publishBytes: bytes(
        'Bytes of messages of one thread that wait for room in its ring. More are refused.',
        1_048_576,
      ),
    },
    'an object',
  ),
  v.description(
    'Limits of topics (see topics.md). Threads can publish and subscribe if this section is present, even as {}, or if there are actors. Default: none.',
  ),
);

export const topicsSection = v.optional(topicsSchema);
