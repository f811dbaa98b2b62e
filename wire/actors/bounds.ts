/** What a message for actors takes beside its payload. */
import { integersBound, stringBound } from '../encoder.ts';
import { maxMessageLength } from '../layout.ts';

/** Room for an array head, the integers of any message, and the head of a payload. */
export const FIXED_BOUND = integersBound(9);

/** Calls that wait for a call, as far as they are named in its payload. A longer chain is known to the reactor alone. */
export const MAX_CHAIN_CALLS = 8;
/** Characters of their keys, all together. */
export const MAX_CHAIN_KEY_CHARS = 256;

/** Characters of a thread's name that go along with its part of a reply. */
export const MAX_THREAD_CHARS = 128;

/** Of a topic, which has no key but a name. */
const MAX_NAME_CHARS = 512;

/** The largest payload that a ring of so many bytes takes with any key of so many characters. */
export function maxPayloadBytes(ringBytes: number, maxKeyChars = MAX_NAME_CHARS): number {
  const names = stringBound('x'.repeat(maxKeyChars)) + stringBound('x'.repeat(MAX_THREAD_CHARS));
  return maxMessageLength(ringBytes) - FIXED_BOUND - names;
}
