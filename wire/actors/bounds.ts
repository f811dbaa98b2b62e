/** What a message for actors takes beside its payload. */
import { integersBound, stringBound } from '../encoder.ts';
import { maxMessageLength } from '../layout.ts';

/** Room for an array head, the integers of any message, and the head of a payload. */
export const FIXED_BOUND = integersBound(9);

/** Characters of a thread's name that go along with its part of an answer. */
export const MAX_THREAD_CHARS = 128;

/** Characters of a key. */
export const MAX_KEY_CHARS = 512;

const NAMES_BOUND = stringBound('x'.repeat(MAX_KEY_CHARS)) + stringBound('x'.repeat(MAX_THREAD_CHARS));

/** The largest payload that a ring of so many bytes takes with any key. */
export function maxPayloadBytes(ringBytes: number): number {
  return maxMessageLength(ringBytes) - FIXED_BOUND - NAMES_BOUND;
}
