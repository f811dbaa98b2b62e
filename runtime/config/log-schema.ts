/** The configuration's `log`. */
import * as v from 'valibot';
import { DEFAULT_MAX_ERROR_CHARS } from '../../wire/error-report.ts';
import { accessLogSection } from './access-log-schema.ts';
import { oneOf, section, wholeNumber } from './fields.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['auto', 'json', 'text'] as const;
export const logPrints = ['labelled', 'untouched'] as const;

const defaultRedact = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'secret',
  'client_secret',
  'api_key',
  'apikey',
] as const;

export const logSection = section('The log.', {
  level: oneOf('The least severe level that is written.', logLevels, 'info'),
  format: oneOf(
    'One JSON object a line, or lines for people; auto writes text to a terminal and JSON to anything else.',
    logFormats,
    'auto',
  ),
  maxWaitingBytes: wholeNumber(
    "Bytes of log lines and of applications' output that may wait for standard output; as many for standard error, and as many in each thread. More is dropped, and the log counts it.",
    { from: 65_536, to: 1_073_741_824, byDefault: 4_194_304 },
  ),
  maxErrorChars: wholeNumber(
    "Characters of an error's message, and of its stack, that are reported; of the rest only the number. A report has at most 8 errors, including causes.",
    { from: 256, to: 1_048_576, byDefault: DEFAULT_MAX_ERROR_CHARS },
  ),
  file: v.optional(
    v.pipe(
      v.string('the path of a file'),
      v.minLength(1, 'the path of a file'),
      v.description(
        'A file that the log is appended to; a path relative to this file, or absolute. SIGUSR1 reopens it after a rotation. Default: standard output.',
      ),
    ),
  ),
  prints: oneOf(
    "What happens to applications' output. labelled: each write becomes a line of the log, with pool, thread and request. untouched: it goes to standard output and standard error unchanged.",
    logPrints,
    'labelled',
  ),
  redact: v.optional(
    v.pipe(
      v.array(v.pipe(v.string('a name'), v.minLength(1, 'a name')), 'an array of names'),
      v.maxLength(256, 'at most 256 names'),
      v.description(
        'Names, in any case, whose values no log line shows: parameters of queries, and members of the objects that applications print.',
      ),
    ),
    [...defaultRedact],
  ),
  access: accessLogSection,
});
