/** Members of a pool about the number of threads and how they start. */

import * as v from 'valibot';
import { requiredNumber, wholeNumber } from './fields.ts';

/** A fixed number of threads, or a range. */
export function threads(most: number) {
  const count = { from: 1, to: most };
  const range = v.pipe(
    v.strictObject(
      {
        min: wholeNumber('The least number of threads.', { ...count, byDefault: 1 }),
        max: wholeNumber(
          'The greatest number of threads. Default: as many as the machine runs in parallel, and at least min.',
          { ...count, byDefault: undefined },
        ),
      },
      'an object',
    ),
    v.description('How many threads run the application.'),
  );
  const expected = `a number of threads from 1 to ${most}, or an object with min and max`;
  const either = v.union([requiredNumber('Exactly this many threads.', count), range], expected);
  const described = v.pipe(
    either,
    v.description('How many threads run the application: a number, or a range.'),
  );
  return v.optional(described, {});
}

const variableName = 'the name of an environment variable';
const variableValue = 'a string';

export const env = v.optional(
  v.pipe(
    v.record(
      v.pipe(v.string(variableName), v.regex(/^[^=\0]+$/, variableName)),
      v.pipe(v.string(variableValue), v.regex(/^[^\0]*$/, variableValue)),
      'an object of strings by name',
    ),
    v.description(
      "Environment variables of the threads, in addition to the process's. They do not change what the process itself reads at its start, such as UV_THREADPOOL_SIZE.",
    ),
  ),
  {},
);

export const execArgv = v.optional(
  v.pipe(
    v.array(v.string("a flag of Node's"), "an array of Node's flags"),
    v.description(
      "Flags of Node for the threads, in addition to the process's, such as --conditions=staging or --import=./trace.mjs. Flags of V8, or of the whole process, are refused.",
    ),
  ),
  [],
);
