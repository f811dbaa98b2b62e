/**
 * Describes any thrown value as plain, bounded text that is safe to send and to log.
 *
 * JavaScript can throw anything, and each of its properties may be a getter or a Proxy trap that throws in
 * turn. So every access to the value is guarded, `toString` is never called, and nothing of the value itself
 * is kept.
 */

import { inspect, types } from 'node:util';

export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly cause?: ErrorReport;
  /** The `errors` of an AggregateError. */
  readonly errors?: readonly ErrorReport[];
}

/** Default for the characters that are kept of a message, and of a stack. */
export const DEFAULT_MAX_ERROR_CHARS = 8_192;
/** Characters that are kept of a name, and of a code. */
export const MAX_NAME_CHARS = 256;
/** A thrown object that is no error is not shown if it has more properties than this. */
const MAX_PROPERTIES = 64;
/** Elements that are shown of an array, a Map or a Set. */
const MAX_ELEMENTS = 16;
/**
 * The time to write a bigint in decimal grows with the square of its length: 20 million bits take seconds.
 */
const MAX_BIGINT = 1n << 4_096n;
/** Errors that one report describes: the one thrown, its causes, and the errors that it aggregates. */
export const MAX_ERRORS = 8;

/**
 * Never throws.
 * @param maxChars characters kept of each message and of each stack; a note replaces what was left out
 */
export function describeError(thrown: unknown, maxChars: number = DEFAULT_MAX_ERROR_CHARS): ErrorReport {
  return describe(thrown, maxChars, { errors: MAX_ERRORS - 1 });
}

/** The beginning of a text and a note on its length, together at most `maxChars`. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const note = `… (${text.length} characters)`;
  return text.slice(0, Math.max(0, maxChars - note.length)) + note;
}

/** How many more errors a report may describe. */
interface Budget {
  errors: number;
}

function describe(thrown: unknown, maxChars: number, budget: Budget): ErrorReport {
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: cut(`not an Error: ${shown(thrown, maxChars)}`, maxChars), stack: '' };
  }
  const name = text(read(thrown, 'name'), MAX_NAME_CHARS);
  const message = text(read(thrown, 'message', 'its message is unreadable'), Infinity);
  const stack = text(read(thrown, 'stack'), Infinity);
  const code = read(thrown, 'code');
  // The causes come first, because the budget may run out: what led to an error says more than the errors
  // beside it.
  const cause = read(thrown, 'cause');
  const causeReport = cause === undefined ? undefined : describeWithin(cause, maxChars, budget);
  const errors = describeAll(read(thrown, 'errors'), maxChars, budget);
  return {
    name,
    message: cut(message, maxChars),
    stack: cutStack(stack, message, maxChars),
    ...(typeof code === 'string' && { code: cut(code, MAX_NAME_CHARS) }),
    ...(causeReport && { cause: causeReport }),
    ...(errors.length > 0 && { errors }),
  };
}

function describeWithin(thrown: unknown, maxChars: number, budget: Budget): ErrorReport | undefined {
  if (budget.errors <= 0) return undefined;
  budget.errors--;
  return describe(thrown, maxChars, budget);
}

function describeAll(errors: unknown, maxChars: number, budget: Budget): ErrorReport[] {
  const reports: ErrorReport[] = [];
  if (!isArray(errors)) return reports;
  const length = read(errors, 'length');
  for (let i = 0; typeof length === 'number' && i < length && budget.errors > 0; i++) {
    const report = describeWithin(read(errors, i), maxChars, budget);
    if (report !== undefined) reports.push(report);
  }
  return reports;
}

/**
 * Recognises an error by its shape: errors also come from other realms, and reports are themselves described
 * when they are logged.
 */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return value instanceof Error || typeof Reflect.get(value, 'message') === 'string';
  } catch {
    // A trap or a getter threw. `inspect` can show such a value without calling either.
    return false;
  }
}

function isArray(value: unknown): value is object {
  try {
    return Array.isArray(value);
  } catch {
    // A revoked Proxy.
    return false;
  }
}

function read(object: object, key: string | number, otherwise?: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    // The getter or trap threw, so there is nothing to read.
    return otherwise;
  }
}

function text(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return cut(value, maxChars);
  return value === undefined ? '' : shown(value, maxChars);
}

/** Shows a value that is no string as Node's REPL would, but without calling any code of the value. */
function shown(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return cut(value, maxChars);
  try {
    if (isHugeBigint(value)) return 'a bigint that is too large to be shown';
    if (isObject(value) && isTooLarge(value))
      return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value} that is too large to be shown`;
    const options = { customInspect: false, depth: 0, maxArrayLength: MAX_ELEMENTS, maxStringLength: 1_024 };
    return cut(inspect(value, options), maxChars);
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

function isHugeBigint(value: unknown): boolean {
  return typeof value === 'bigint' && (value > MAX_BIGINT || value < -MAX_BIGINT);
}

/**
 * `inspect` formats all properties of an object before anything is cut, and looks behind Proxies. An object
 * with many properties takes seconds.
 */
function isTooLarge(value: object): boolean {
  if (types.isProxy(value) || types.isBoxedPrimitive(value)) return true;
  // `inspect` limits by itself what it shows of these.
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return false;
  if (Array.isArray(value) && value.length > MAX_PROPERTIES) return true;
  const keys = Reflect.ownKeys(value);
  if (keys.length > MAX_PROPERTIES) return true;
  // A getter has no value here, and `inspect` does not call it either.
  if (keys.some((key) => isHugeBigint(Reflect.getOwnPropertyDescriptor(value, key)?.value))) return true;
  return types.isMap(value) || types.isSet(value) ? holdsHugeBigint(value) : false;
}

/** Uses the collection's built-in iterator, whatever the object has in its place. */
function holdsHugeBigint(value: Map<unknown, unknown> | Set<unknown>): boolean {
  const entries = types.isMap(value) ? Map.prototype.entries.call(value) : Set.prototype.entries.call(value);
  let looked = 0;
  for (const [key, entry] of entries) {
    if (isHugeBigint(key) || isHugeBigint(entry)) return true;
    if (++looked === MAX_ELEMENTS) break;
  }
  return false;
}

/** V8 begins a stack with the message. A long message would push out the frames. */
function cutStack(stack: string, message: string, maxChars: number): string {
  if (stack.length <= maxChars) return stack;
  const at = stack.slice(0, MAX_NAME_CHARS).indexOf(': ') + 2;
  // Checks only the position where the message belongs: searching for one long text in another may take very
  // long.
  if (at < 2 || message.length === 0 || !stack.startsWith(message, at)) return cut(stack, maxChars);
  const frames = stack.slice(at + message.length);
  const head = stack.slice(0, at) + cut(message, maxChars >> 1);
  return head + cut(frames, maxChars - head.length);
}
