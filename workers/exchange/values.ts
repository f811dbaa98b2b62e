/**
 * Checks values that an application passes, at the call (docs/sgi.md, rule 2.8). TypeScript types do not
 * exist at run time: a promise that was not awaited or an ArrayBuffer may be passed as well, and would become
 * a message without an end.
 */
import { types } from 'node:util';
import { HostError } from './errors.ts';

const { isUint8Array } = types;

/**
 * Content to send, as bytes. Text becomes UTF-8, in which a lone surrogate is U+FFFD.
 * @param what the value's name in the error
 * @throws HostError `SLUICE_VALUE_INVALID`
 */
export function contentOf(value: unknown, what: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (isBytes(value)) return value;
  throw noContent(what, value);
}

/**
 * Like `contentOf`, for callers that pass the content on unchanged. @throws HostError `SLUICE_VALUE_INVALID`
 */
export function requireContent(value: unknown, what: string): void {
  if (typeof value !== 'string' && !isBytes(value)) throw noContent(what, value);
}

function isBytes(value: unknown): value is Uint8Array {
  return isUint8Array(value) && (value.length > 0 || hasMemory(value));
}

function noContent(what: string, value: unknown): HostError {
  return valueInvalid(`${what} of bytes (a Uint8Array) or of text (a string)`, value);
}

/** @throws HostError `SLUICE_STATUS_INVALID` */
export function requireFinalStatus(status: unknown): void {
  if (Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599) return;
  throw new HostError(
    'SLUICE_STATUS_INVALID',
    `expected a final status, 200 to 599 (RFC 9110 section 15), got ${nameOf(status)}`,
  );
}

/** @throws HostError `SLUICE_STATUS_INVALID` */
export function requireInterimStatus(status: unknown): void {
  const isInterim = Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 199;
  if (isInterim && status !== 101) return;
  throw new HostError(
    'SLUICE_STATUS_INVALID',
    `expected an interim status, 100 or 102 to 199 (RFC 9110 section 15.2), got ${nameOf(status)}`,
  );
}

/** @throws HostError `SLUICE_RESET_CODE_INVALID` */
export function requireResetCode(code: unknown): void {
  if (typeof code === 'number' && code >>> 0 === code) return;
  throw new HostError(
    'SLUICE_RESET_CODE_INVALID',
    `expected an HTTP/2 error code, an integer from 0 to 2^32-1 (RFC 9113 section 7), got ${nameOf(code)}`,
  );
}

/** @throws HostError `SLUICE_PADDING_INVALID` */
export function requirePadding(toMultipleOf: unknown): void {
  const isWithin =
    Number.isInteger(toMultipleOf) && (toMultipleOf as number) >= 0 && (toMultipleOf as number) <= 256;
  if (isWithin && toMultipleOf !== 1) return;
  throw new HostError(
    'SLUICE_PADDING_INVALID',
    `expected 0 or an integer from 2 to 256, got ${nameOf(toMultipleOf)}`,
  );
}

/** The name of a field in lower case. @throws HostError `SLUICE_VALUE_INVALID` */
export function fieldKey(name: unknown): string {
  if (typeof name === 'string') return name.toLowerCase();
  throw valueInvalid('the name of a field, a string', name);
}

/** @throws HostError `SLUICE_VALUE_INVALID` */
export function requirePair(pair: unknown): void {
  // A string iterates over its characters, which would be taken for names and values.
  if (!Array.isArray(pair) || pair.length !== 2)
    throw valueInvalid('fields in pairs of name and value', pair);
}

/** @throws HostError `SLUICE_VALUE_INVALID` */
export function requireLimit(limitBytes: unknown): void {
  // No length is above NaN, so NaN would be no limit at all.
  if (typeof limitBytes === 'number' && limitBytes >= 0) return;
  throw valueInvalid('a limit in bytes, a number from 0 on', limitBytes);
}

export function valueInvalid(expected: string, value: unknown): HostError {
  return new HostError('SLUICE_VALUE_INVALID', `expected ${expected}, got ${nameOf(value)}${hintFor(value)}`);
}

/**
 * Bytes whose memory was transferred, or that lie beyond the end of a buffer that has shrunk, count as
 * missing.
 */
function hasMemory(bytes: Uint8Array): boolean {
  try {
    // This throws in both cases (ECMA-262, ValidateTypedArray).
    bytes.at(0);
    return true;
  } catch {
    return false;
  }
}

const SHOWN_CHARACTERS = 100;

/** Describes a value in a message, but never with its own text, which may be long, secret, or throw. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_CHARACTERS
        ? JSON.stringify(value)
        : `${JSON.stringify(value.slice(0, SHOWN_CHARACTERS))} and so on, ${value.length} characters`;
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return nameOfObject(value);
    default:
      return `a ${typeof value}`;
  }
}

function nameOfObject(value: object): string {
  // The properties of a Proxy may return anything.
  if (types.isProxy(value)) return 'a Proxy';
  if (Array.isArray(value)) return 'an array';
  if (isUint8Array(value) && !hasMemory(value))
    return 'bytes whose memory has been transferred or has shrunk';
  const kind = kindOf(value);
  return kind === '' || kind === 'Object' ? 'an object' : `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The name of its class. */
function kindOf(value: object): string {
  try {
    const name: unknown = value.constructor?.name;
    return typeof name === 'string' ? name.slice(0, SHOWN_CHARACTERS) : '';
  } catch {
    // A getter of the value threw: it is described without that.
    return '';
  }
}

function hintFor(value: unknown): string {
  if (types.isPromise(value)) return ': await it';
  if (types.isAnyArrayBuffer(value)) return ': new Uint8Array(buffer) has its bytes';
  if (ArrayBuffer.isView(value) && !isUint8Array(value)) {
    return ': new Uint8Array(view.buffer, view.byteOffset, view.byteLength) has its bytes';
  }
  return '';
}
