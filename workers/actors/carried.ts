/**
 * What goes along with a message beside its arguments: stores of the caller's async context that are named, and the trace that it belongs
 * to. A method, and what it calls, finds them where its caller had them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { nameOf, valueInvalid } from '../exchange/values.ts';

/** What an `AsyncLocalStorage` is, and anything else that can say what goes along and run something with what came. */
export interface Carrier<T> {
  /** What the caller has, as plain data; undefined: nothing. */
  getStore(): T | undefined;
  run<R>(store: T, callback: () => R): R;
}

/** Trace Context of the W3C, as its two fields have it. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** The fields of a request, as far as they are looked at. */
export interface TraceFields {
  all(name: string): readonly string[];
}

export type Carried = { readonly [name: string]: unknown };

const MAX_CARRIERS = 16;
const NAME = /^[A-Za-z][\w.-]{0,63}$/;
/** W3C Trace Context section 3.2: a version, and what every version begins with. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** What version 00 may have behind that. */
const TRACEPARENT_CHARS = 55;
/** Section 3.3.1.5: so much at least is to be passed on. */
const MAX_TRACESTATE_CHARS = 512;

/** The trace that this belongs to. It goes along with every message. */
export const traceContext: AsyncLocalStorage<TraceContext> = new AsyncLocalStorage();

const carriers = new Map<string, Carrier<unknown>>([['trace', traceContext as Carrier<unknown>]]);

/**
 * Lets a store go along with every message of this thread, and arrive in methods of this thread. To be called where the store is made, in
 * a module that caller and actor both import. What it holds is plain data, and counts as part of the message.
 * @throws GatewayError `SLUICE_VALUE_INVALID` for a name that is taken or none, and beyond 15 stores: the trace is the first of 16
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

/** The trace that a request belongs to; undefined: it names none, or not one. */
export function traceOf(fields: TraceFields): TraceContext | undefined {
  const [traceparent, ...others] = fields.all('traceparent');
  if (traceparent === undefined || others.length > 0 || !TRACEPARENT.test(traceparent)) return undefined;
  if (traceparent.startsWith('00') && traceparent.length > TRACEPARENT_CHARS) return undefined;
  const tracestate = fields.all('tracestate').join(',');
  if (tracestate === '' || tracestate.length > MAX_TRACESTATE_CHARS) return { traceparent };
  return { traceparent, tracestate };
}

/** What goes along with a message that is sent now; null: nothing. */
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

/** Whoever has what came along. */
export interface Carrying {
  /** All of it could be entered once: its stores are then left out where they cannot, so that what has begun can end. */
  hasEntered: boolean;
}

/**
 * Runs with what came along, in an async scope that ends with it. What has no name in this thread is for nobody here.
 * @throws what a store's `run` throws instead of calling what it is given, the first time
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
 * `run` of a store is somebody's code: whatever it does, what it is given runs once and at once, and how that ends is what counts. A
 * callback that it keeps and calls later, or twice, would run a method twice.
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

/** Unless somebody has made something else of `run`. */
function canBeEntered(carrier: Carrier<unknown>): carrier is AsyncLocalStorage<unknown> {
  return carrier instanceof AsyncLocalStorage && carrier.run === AsyncLocalStorage.prototype.run;
}
