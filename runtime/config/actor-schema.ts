/** The configuration's `actors`, by name. What concerns their pools is in actors.ts. */
import * as v from 'valibot';
import { maxTimerMs } from './duration.ts';
import { wholeNumber } from './fields.ts';
import { payloadFields } from './payload-fields.ts';

export const actorKinds = ['pool', 'keyed', 'single'] as const;

const gibibyte = 1_073_741_824;
const exportName = 'the name of an export';
const poolName = 'the name of a pool';
const kindNames = actorKinds.map((kind) => JSON.stringify(kind)).join(', ');
export const actorNamePattern = '^[A-Za-z0-9][A-Za-z0-9_-]*$';
const actorName = 'a name of letters, digits, "-" and "_"';

function messages(description: string, byDefault: number) {
  return wholeNumber(description, { from: 1, to: 1_000_000, byDefault });
}

function bytes(description: string, byDefault: number) {
  return wholeNumber(description, { from: 256, to: gibibyte, byDefault });
}

const actorSchema = v.pipe(
  v.strictObject(
    {
      pool: v.pipe(
        v.string(poolName),
        v.description('The pool whose threads have its instances and whose module has its class.'),
      ),
      export: v.optional(
        v.pipe(
          v.string(exportName),
          v.minLength(1, exportName),
          v.description(
            "The export of the pool's module that is its class. Default: none; the functions that the module exports are then the methods of a pool actor.",
          ),
        ),
      ),
      kind: v.pipe(
        v.picklist(actorKinds, kindNames),
        v.description(
          'pool: one instance for each thread, and calls go to the least loaded; keyed: one instance for each key, on one thread; single: one instance.',
        ),
      ),
      concurrency: v.optional(
        wholeNumber(
          'Messages that one instance of a pool actor handles at a time; the others handle one. Default: 16.',
          { from: 1, to: 1_024, byDefault: undefined },
        ),
      ),
      aheadMessages: wholeNumber(
        'Messages that the reactor gives to an instance before it can run them, to hide the wake-up. The others wait in the mailbox. Calls over direct channels have other limits (see actors.md).',
        { from: 0, to: 1_024, byDefault: 32 },
      ),
      mailboxMessages: messages(
        'Messages that a mailbox holds, including those that have begun. A keyed actor has a mailbox for each key, other actors have one. More messages are refused.',
        256,
      ),
      mailboxBytes: bytes('Bytes of the same.', 1_048_576),
      callerMessages: messages(
        'Calls to this actor that one thread may have under way. More are refused.',
        1_024,
      ),
      callerBytes: bytes('Bytes of the same.', 4_194_304),
      maxMessageBytes: wholeNumber('Bytes of the arguments of a call, and of its reply.', {
        from: 256,
        to: 33_000_000,
        byDefault: 262_144,
      }),
      ...payloadFields,
      maxCallDepth: wholeNumber(
        'How deep calls may be nested, counted up to the call of this actor. Deeper ones are refused.',
        { from: 1, to: 1_024, byDefault: 64 },
      ),
      deadlineMs: wholeNumber('How long a call may take if its caller gives no deadlineMs.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 30_000,
      }),
      streamItems: wholeNumber(
        'Items of a streamed reply or input that are sent before their reader asks for them.',
        {
          from: 1,
          to: 1_024,
          byDefault: 16,
        },
      ),
      streamGraceMs: wholeNumber(
        'How long a streamed reply may take to end after its reader has left; then its instance continues without it.',
        { from: 1, to: maxTimerMs, byDefault: 5_000 },
      ),
      hardAbortGraceMs: wholeNumber(
        'How long a call with the option hard may take to end after it was given up; then its thread is ended.',
        { from: 1, to: maxTimerMs, byDefault: 5_000 },
      ),
      startTimeoutMs: wholeNumber(
        "How long an instance's start() may take; then the calls that wait for it fail, and the next call makes another instance. Instances of a pool actor start with their thread, for which the pool's startTimeoutMs holds as well.",
        { from: 1, to: maxTimerMs, byDefault: 10_000 },
      ),
      stopTimeoutMs: wholeNumber(
        "How long an instance's stop() may take; then the next instance starts without waiting for it.",
        { from: 1, to: maxTimerMs, byDefault: 10_000 },
      ),
      maxKeys: wholeNumber(
        'Keys of a keyed actor that have an instance or messages. Calls to further keys are refused.',
        {
          from: 1,
          to: 10_000_000,
          byDefault: 100_000,
        },
      ),
      maxKeyChars: wholeNumber('Characters of a key. Longer ones are refused.', {
        from: 1,
        to: 8_192,
        byDefault: 512,
      }),
      idleMs: wholeNumber('An instance of a keyed actor is stopped after this long without a message.', {
        from: 1_000,
        to: maxTimerMs,
        byDefault: 60_000,
      }),
    },
    'an object with a pool and a kind',
  ),
  v.description('A class, or a module of functions, whose methods any thread can call.'),
);

export const actorsSection = v.optional(
  v.pipe(
    v.record(
      v.pipe(v.string(actorName), v.regex(new RegExp(actorNamePattern), actorName)),
      actorSchema,
      'an object of actors by name',
    ),
    v.description('The actors by name (see actors.md).'),
  ),
  {},
);
