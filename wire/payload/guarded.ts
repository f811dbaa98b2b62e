/** Reads values that may be anything. A getter, a Proxy trap or transferred memory may throw; that is not an error of Sluice. */
import { types } from 'node:util';

const { isNativeError } = types;
const MOST_KEY_CHARS = 64;

/** The prototype of plain objects of another realm, such as a vm context. */
export function isPlainElsewhere(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

export function nameOf(prototype: unknown): string {
  const name = guarded(guarded(prototype as object, 'constructor') ?? {}, 'name');
  return typeof name === 'string' && name !== ''
    ? `an instance of ${name.slice(0, MOST_KEY_CHARS)}`
    : 'an instance of a class';
}

export function guarded(object: unknown, key: string | number): unknown {
  try {
    return Reflect.get(object as object, key);
  } catch {
    // The getter or trap threw, or the value has no properties, so there is nothing to read.
    return undefined;
  }
}

export function isErrorObject(value: object): boolean {
  try {
    return isNativeError(value) || value instanceof Error;
  } catch {
    // A trap threw: the value cannot be read as an error.
    return false;
  }
}

export function isArraySafely(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    // A revoked Proxy.
    return false;
  }
}
