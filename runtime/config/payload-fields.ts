/** Limits of a message's shape, for actors and topics (see actors.md). */
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_REFERENCES } from '../../wire/payload/forms.ts';
import { wholeNumber } from './fields.ts';

export const payloadFields = {
  maxMessageDepth: wholeNumber('How deep objects of a message may lie within each other.', {
    from: 4,
    to: 512,
    byDefault: DEFAULT_MAX_DEPTH,
  }),
  maxSharedReferences: wholeNumber('How often objects of a message may be referred to again within it.', {
    from: 0,
    to: 1_000_000,
    byDefault: DEFAULT_MAX_REFERENCES,
  }),
};
