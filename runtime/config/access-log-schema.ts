/** The configuration's `log.access`: a line of the log for each exchange. */
import * as v from 'valibot';
import { oneOf, section } from './fields.ts';

export const accessLogWhen = ['auto', 'always', 'never'] as const;

/** Fields that a line may have. */
export const accessFields = [
  'remoteAddress',
  'method',
  'scheme',
  'authority',
  'path',
  'query',
  'version',
  'status',
  'outcome',
  'durationMs',
  'requestBytes',
  'responseBytes',
  'route',
  'pool',
  'userAgent',
  'referer',
  'requestId',
] as const;
export type AccessField = (typeof accessFields)[number];

const defaultFields: AccessField[] = [
  'remoteAddress',
  'method',
  'path',
  'version',
  'status',
  'outcome',
  'durationMs',
  'responseBytes',
  'pool',
  'requestId',
];

const expectedShare = 'a number from 0 to 1';

export const accessLogSection = section(
  'The access log: one line for each exchange that has ended (see operations.md).',
  {
    write: oneOf(
      'auto writes them if standard output is a terminal. A line costs about as much as a small response.',
      accessLogWhen,
      'auto',
    ),
    fields: v.optional(
      v.pipe(
        v.array(v.picklist(accessFields, `one of ${accessFields.join(', ')}`), 'an array of names of fields'),
        v.minLength(1, 'at least one field'),
        v.description('The fields of a line, in this order.'),
      ),
      defaultFields,
    ),
    sample: v.optional(
      v.pipe(
        v.number(expectedShare),
        v.minValue(0, expectedShare),
        v.maxValue(1, expectedShare),
        v.description(
          'The share of exchanges that are written. Exchanges that failed, with a status of 500 or above or an incomplete response, are always written.',
        ),
      ),
      1,
    ),
  },
);
