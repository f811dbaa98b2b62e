/** The configuration's `requestId`: identifiers of requests for logs. */
import * as v from 'valibot';
import { flag } from './fields.ts';

/** A longer identifier of a proxy is ignored. Identifiers are sent to threads beside the fields, so rings must have room for them. */
export const MAX_REQUEST_ID_CHARS = 128;

const expected = 'the name of a field in lower case, such as "x-request-id"';
/** Not a field with another meaning in HTTP, or whose value causes an action. */
const NAME =
  /^(?!(?:host|cookie|set-cookie|connection|content-length|transfer-encoding|te|upgrade)$)[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/;

export const requestIdSection = v.optional(
  v.pipe(
    v.strictObject(
      {
        field: v.optional(
          v.pipe(
            v.string(expected),
            v.regex(NAME, expected),
            v.description('The field of requests and responses that carries it.'),
          ),
          'x-request-id',
        ),
        respond: flag('Whether responses carry it, unless the application has set the field itself.', true),
      },
      'an object',
    ),
    v.description(
      `Gives every request an identifier: the one in the field, if a trusted proxy sent it and it has at most ${MAX_REQUEST_ID_CHARS} safe characters, or a new one. Applications find it in the field, and log lines contain it (see operations.md). The section switches it on, even as {}. Default: off.`,
    ),
  ),
);
