/** Limits of a message's shape, for actors and topics (see actors.md). */
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_REFERENCES } from '../../wire/payload/forms.ts';
import { wholeNumber } from './fields.ts';

export const payloadFields = {
  maxMessageDepth: wholeNumber('How deep objects may be nested in a message.', {
    from: 4,
    to: 512,
    byDefault: DEFAULT_MAX_DEPTH,
  }),
  maxSharedReferences: wholeNumber(
    'How many references a message may have to objects that it already contains.',
    {
      from: 0,
      to: 1_000_000,
      byDefault: DEFAULT_MAX_REFERENCES,
    },
  ),
};
