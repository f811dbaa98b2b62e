/**
 * The content of a call's payload: the arguments, then what the call carries, then the method's name
 * (wire/README.md).
 *
 * Another thread has encoded it, and a faulty thread may have encoded anything. Invalid content refuses the call and
 * has no other effect.
 */
import { PayloadError, PayloadErrorCode } from '../../wire/payload/forms.ts';
import type { Carried } from './carried.ts';

/** @throws PayloadError */
export function requireSent(value: unknown): asserts value is unknown[] {
  if (!Array.isArray(value)) throw misplaced('a list', value);
}

/** Takes the method's name. @throws PayloadError */
export function takeName(sent: unknown[]): string {
  const name = sent.pop();
  if (typeof name === 'string') return name;
  throw misplaced("a method's name", name);
}

/** Takes the caller's stores, by name. @throws PayloadError */
export function takeCarried(sent: unknown[]): Carried {
  const carried = sent.pop();
  if (typeof carried === 'object' && carried !== null) return carried as Carried;
  throw misplaced('stores by name', carried);
}

/** Takes the places of the arguments that are streams, in order. @throws PayloadError */
export function takePlaces(sent: unknown[]): readonly number[] {
  const places = sent.pop();
  let least = 0;
  if (Array.isArray(places)) {
    const isPlace = (place: unknown): boolean => {
      if (!Number.isInteger(place) || (place as number) < least || (place as number) >= sent.length)
        return false;
      least = (place as number) + 1;
      return true;
    };
    if (places.every(isPlace)) return places as number[];
  }
  throw misplaced('places of arguments, in order', places);
}

function misplaced(expected: string, got: unknown): PayloadError {
  const message = `payload: expected ${expected}, got ${got === null ? 'null' : `a value of type ${typeof got}`}`;
  return new PayloadError(PayloadErrorCode.Invalid, '', message);
}
