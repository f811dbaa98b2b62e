/**
 * Describes whatever was thrown, as plain bounded text that is safe to send and to log.
 *
 * JavaScript lets anything be thrown, and every property of it may be a getter or a Proxy's trap that throws in its turn.
 * So each look at a value is guarded, nothing is called `toString` on, and nothing of the value itself is kept.
 */

import { inspect, types } from 'node:util';

export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly cause?: ErrorReport;
  /** Those of an AggregateError. */
  readonly errors?: readonly ErrorReport[];
}

/** Characters of a message, and of a stack, that are kept unless somebody says otherwise. */
export const DEFAULT_MAX_ERROR_CHARS = 8_192;
/** Characters of a name and of a code that are kept. */
export const MAX_NAME_CHARS = 256;
/** Properties of a thrown object that is no error; more of them are not shown. */
const MAX_PROPERTIES = 64;
/** Elements of an array, a Map or a Set that are shown. */
const MAX_ELEMENTS = 16;
/** The time to write a bigint in decimal grows with the square of its length: one of 20 million bits takes seconds. */
const MAX_BIGINT = 1n << 4_096n;
/** Errors that one report tells of: the one thrown, its causes, and those that it aggregates. */
export const MAX_ERRORS = 8;

/** Never throws. @param maxChars kept of each message and of each stack; what was left out is said in its place */
export function describeError(thrown: unknown, maxChars: number = DEFAULT_MAX_ERROR_CHARS): ErrorReport {
  return describe(thrown, maxChars, { errors: MAX_ERRORS - 1 });
}

/** The beginning of a text, and how much is missing; `maxChars` with that note. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const note = `… (${text.length} characters)`;
  return text.slice(0, Math.max(0, maxChars - note.length)) + note;
}

/** How many more errors a report may tell of. */
interface Budget {
  errors: number;
}

function describe(thrown: unknown, maxChars: number, budget: Budget): ErrorReport {
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: cut(`not an Error: ${shown(thrown, maxChars)}`, maxChars), stack: '' };
  }
  const name = text(read(thrown, 'name'), MAX_NAME_CHARS);
  const message = text(read(thrown, 'message', 'its message cannot be read'), Infinity);
  const stack = text(read(thrown, 'stack'), Infinity);
  const code = read(thrown, 'code');
  // In this order, as the budget may end: what led to an error says more than what stands beside it.
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

/** By its shape: errors come from other realms too, and reports are themselves described when they are logged. */
function isErrorLike(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return value instanceof Error || typeof Reflect.get(value, 'message') === 'string';
  } catch {
    // A trap or a getter: `inspect` looks behind the one and past the other.
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
    // Its getter or trap throws: there is nothing to be read.
    return otherwise;
  }
}

function text(value: unknown, maxChars: number): string {
  if (typeof value === 'string') return cut(value, maxChars);
  return value === undefined ? '' : shown(value, maxChars);
}

/** A value that is no string, as Node's REPL would show it, but without calling anything of its own. */
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

/** `inspect` formats all properties of an object before anything is cut, and looks behind Proxies: with many it takes seconds. */
function isTooLarge(value: object): boolean {
  if (types.isProxy(value) || types.isBoxedPrimitive(value)) return true;
  // What it shows of these it bounds itself.
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return false;
  if (Array.isArray(value) && value.length > MAX_PROPERTIES) return true;
  const keys = Reflect.ownKeys(value);
  if (keys.length > MAX_PROPERTIES) return true;
  // A getter has no value here, and `inspect` does not call it either.
  if (keys.some((key) => isHugeBigint(Reflect.getOwnPropertyDescriptor(value, key)?.value))) return true;
  return types.isMap(value) || types.isSet(value) ? holdsHugeBigint(value) : false;
}

/** By the collection's own iterator, whatever the object has in its place. */
function holdsHugeBigint(value: Map<unknown, unknown> | Set<unknown>): boolean {
  const entries = types.isMap(value) ? Map.prototype.entries.call(value) : Set.prototype.entries.call(value);
  let looked = 0;
  for (const [key, entry] of entries) {
    if (isHugeBigint(key) || isHugeBigint(entry)) return true;
    if (++looked === MAX_ELEMENTS) break;
  }
  return false;
}

/** V8 begins a stack with the message: of a long one the frames would be lost with the rest. */
function cutStack(stack: string, message: string, maxChars: number): string {
  if (stack.length <= maxChars) return stack;
  const at = stack.slice(0, MAX_NAME_CHARS).indexOf(': ') + 2;
  // Only where it has to stand: a search for one long text in another may take for ever.
  if (at < 2 || message.length === 0 || !stack.startsWith(message, at)) return cut(stack, maxChars);
  const frames = stack.slice(at + message.length);
  const head = stack.slice(0, at) + cut(message, maxChars >> 1);
  return head + cut(frames, maxChars - head.length);
}
