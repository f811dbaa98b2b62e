/** The number of bytes that a message for actors needs beside its payload. */
import { integersBound, stringBound } from '../encoder.ts';
import { maxMessageLength } from '../layout.ts';

/** Room for an array head, the integers of any message, and the head of a payload. */
export const FIXED_BOUND = integersBound(9);

/** The most waiting calls that a payload names. Only the reactor knows a longer chain. */
export const MAX_CHAIN_CALLS = 8;
/** The most characters of their keys, in total. */
export const MAX_CHAIN_KEY_CHARS = 256;

/** The most characters of a thread's name in its part of a reply. */
export const MAX_THREAD_CHARS = 128;

/** The most characters of a topic's name, which takes the place of a key. */
const MAX_NAME_CHARS = 512;

/** The largest payload that a ring of `ringBytes` accepts, together with any key of up to `maxKeyChars` characters. */
export function maxPayloadBytes(ringBytes: number, maxKeyChars = MAX_NAME_CHARS): number {
  const names = stringBound('x'.repeat(maxKeyChars)) + stringBound('x'.repeat(MAX_THREAD_CHARS));
  return maxMessageLength(ringBytes) - FIXED_BOUND - names;
}
