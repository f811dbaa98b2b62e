/**
 * What a message carries beside its arguments: named stores of the caller's async context, and the trace to which
 * the message belongs. The method, and everything that it calls, sees the same stores as its caller.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { nameOf, valueInvalid } from '../exchange/values.ts';

/** An `AsyncLocalStorage`, or any other object with these two methods. */
export interface Carrier<T> {
  /** The caller's value, as plain data; undefined: there is none, and nothing is carried. */
  getStore(): T | undefined;
  run<R>(store: T, callback: () => R): R;
}

/** W3C Trace Context: the values of its two fields. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** The part of a request's fields that is used here. */
export interface TraceFields {
  all(name: string): readonly string[];
}

export type Carried = { readonly [name: string]: unknown };

const MAX_CARRIERS = 16;
const NAME = /^[A-Za-z][\w.-]{0,63}$/;
/** W3C Trace Context section 3.2: a version, and what every version begins with. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** The length of a value of version 00. */
const TRACEPARENT_CHARS = 55;
/** W3C Trace Context section 3.3.1.5: at least this much must be passed on. */
const MAX_TRACESTATE_CHARS = 512;

/** The trace to which the running code belongs. Every message carries it. */
export const traceContext: AsyncLocalStorage<TraceContext> = new AsyncLocalStorage();

const carriers = new Map<string, Carrier<unknown>>([['trace', traceContext as Carrier<unknown>]]);

/**
 * Makes every message of this thread carry a store, and methods of this thread receive it. Call it in the module
 * that creates the store, which caller and actor both import. The store's value must be plain data, and counts
 * towards the size of the message.
 * @throws GatewayError `SLUICE_VALUE_INVALID` if the name is invalid or taken, or after 15 stores: the trace is
 * the first of 16
 */
export function carry<T>(name: string, store: Carrier<T>): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw valueInvalid('a name of at most 64 letters, digits, ".", "-" and "_"', name);
  }
  const known = carriers.get(name);
  if (known === store) return;
  if (known !== undefined) throw valueInvalid(`another name than ${name}, which is taken`, name);
  if (typeof store?.getStore !== 'function' || typeof store.run !== 'function') {
    throw valueInvalid(`an AsyncLocalStorage for ${name}`, store);
  }
  if (carriers.size >= MAX_CARRIERS) throw valueInvalid(`at most ${MAX_CARRIERS} stores`, nameOf(name));
  carriers.set(name, store as Carrier<unknown>);
}

/** The trace of a request; undefined if it names none, or an invalid one. */
export function traceOf(fields: TraceFields): TraceContext | undefined {
  const [traceparent, ...others] = fields.all('traceparent');
  if (traceparent === undefined || others.length > 0 || !TRACEPARENT.test(traceparent)) return undefined;
  if (traceparent.startsWith('00') && traceparent.length > TRACEPARENT_CHARS) return undefined;
  const tracestate = fields.all('tracestate').join(',');
  if (tracestate === '' || tracestate.length > MAX_TRACESTATE_CHARS) return { traceparent };
  return { traceparent, tracestate };
}

/** The stores that a message carries if it is sent now; null: none. */
export function collectCarried(): Carried | null {
  let carried: Record<string, unknown> | null = null;
  for (const [name, carrier] of carriers) {
    const store = carrier.getStore();
    if (store === undefined) continue;
    carried ??= {};
    carried[name] = store;
  }
  return carried;
}

/** The owner of the stores that a message has carried. */
export interface Carrying {
  /**
   * All stores could be entered once. Later failures to enter one are ignored, so that a call that has begun can
   * end.
   */
  hasEntered: boolean;
}

/**
 * Runs a function with the carried stores, in an async scope that ends with it. Stores that this thread has not
 * declared are ignored.
 * @throws what a store's `run` throws, the first time, instead of calling the function
 */
export function withCarried<A extends unknown[], R>(
  carried: Carried,
  run: (...args: A) => R,
  args: A,
  carrying: Carrying,
): R {
  let within: (() => R) | null = null;
  for (const name of Object.keys(carried)) {
    const carrier = carriers.get(name);
    if (carrier === undefined) continue;
    const store = carried[name];
    if (canBeEntered(carrier)) {
      carrier.enterWith(store);
      continue;
    }
    const inner: () => R =
      within ??
      (() => {
        carrying.hasEntered = true;
        return run(...args);
      });
    within = () => runIn(name, carrier, store, inner, carrying);
  }
  return within === null ? run(...args) : within();
}

/**
 * `run` of a store is the application's code. Whatever it does, the function runs exactly once and at once, and
 * only its own outcome counts. A callback that `run` keeps and calls later, or twice, would run the method twice.
 */
function runIn<R>(
  name: string,
  carrier: Carrier<unknown>,
  store: unknown,
  inner: () => R,
  { hasEntered }: Carrying,
): R {
  let state: 'new' | 'running' | 'returned' | 'threw' | 'over' = 'new';
  let outcome: unknown;
  const once = (): unknown => {
    if (state !== 'new') return undefined;
    state = 'running';
    try {
      outcome = inner();
      state = 'returned';
      return outcome;
    } catch (error) {
      outcome = error;
      state = 'threw';
      throw error;
    }
  };
  const stateNow = (): typeof state => state;
  let failure: unknown = new TypeError(
    `carry: expected run of the store ${name} to call what it is given at once`,
  );
  try {
    carrier.run(store, once);
  } catch (error) {
    failure = error;
  }
  if (stateNow() === 'returned') return outcome as R;
  if (stateNow() === 'threw') throw outcome;
  state = 'over';
  if (hasEntered) return inner();
  throw failure;
}

/** True unless `run` was replaced. */
function canBeEntered(carrier: Carrier<unknown>): carrier is AsyncLocalStorage<unknown> {
  return carrier instanceof AsyncLocalStorage && carrier.run === AsyncLocalStorage.prototype.run;
}
