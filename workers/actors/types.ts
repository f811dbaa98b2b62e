/** Types of actors and of their clients. A client's are inferred from the actor's class. */

/** What a method learns about its call: its last parameter. */
export interface Call {
  /** Aborts when nobody waits for the reply any more: the caller gave up, its deadline passed, or its thread ended. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline; 0 and less: it has passed. */
  readonly remainingMs: number;
}

/**
 * What an actor learns about itself: the second argument of a keyed actor's constructor, the first argument of any
 * other.
 */
export interface ActorContext {
  /** Its name in the configuration. */
  readonly actor: string;
  /** Empty unless the actor is keyed. */
  readonly key: string;
  readonly pool: string;
  /** The thread's name, as in the log. */
  readonly thread: string;
  /**
   * Restarts the instance. It begins no further calls, finishes those that it has begun, and runs `stop`. A new
   * object of the class then takes its place and gets the waiting calls.
   * @param reason for the log
   */
  restart(reason?: unknown): void;
}

export interface CallOptions {
  /**
   * The deadline, from now. Default: the actor's `deadlineMs`, but never more than the call within which this one
   * is made has left.
   */
  readonly deadlineMs?: number;
  /** Gives the call up at once and aborts the method's `call.signal`. No other call is affected. */
  readonly signal?: AbortSignal;
  /**
   * For a method that does not check its signal. If the call is given up, for any reason, and has not ended after
   * the actor's `hardAbortGraceMs`, Sluice ends its thread. Other calls that the thread has begun then fail with
   * `SLUICE_ACTOR_DIED`; the rest move to other threads.
   */
  readonly hard?: boolean;
  /**
   * For a stream of large byte arrays: an item that is a Uint8Array is valid until the next item is requested,
   * because Sluice copies a later item into the same memory. Without it, each item has its own memory, which costs
   * more than the copy.
   */
  readonly reuseMemory?: boolean;
}

export type ActorClass = abstract new (...args: never[]) => object;

/** A module of task functions: `typeof import('./tasks.ts')`. */
export type ActorModule = object;

/** Names that callers cannot call. */
type Reserved = 'start' | 'stop' | 'constructor' | 'default';

type MethodName<I> = {
  [K in keyof I]: K extends string
    ? K extends Reserved
      ? never
      : I[K] extends (...args: never[]) => unknown
        ? K
        : never
    : never;
}[keyof I];

/**
 * The parameters without the call. None may be left out: the call follows the arguments and would take the place
 * of the missing one. Pass `undefined` for an optional parameter.
 */
type Sent<A extends readonly unknown[]> =
  Passed<A> extends readonly [...infer D, Call | undefined] ? D : Passed<A>;

/** Makes each parameter mandatory, and lets an optional one be `undefined`, which `Required` alone would forbid. */
type Passed<A extends readonly unknown[], R extends readonly unknown[] = Required<A>> = {
  [K in keyof R]: K extends keyof A ? A[K] : never;
};

type Asked<F> = F extends (...args: infer A) => infer R
  ? (
      ...args: [...Sent<A>, options?: CallOptions]
    ) => R extends AsyncIterable<infer T> ? AsyncIterableIterator<T> : Promise<Awaited<R>>
  : never;

/** False for a method that only throws: `never` extends everything. */
type Streams<R> = [R] extends [never] ? false : R extends AsyncIterable<unknown> ? true : false;

type Told<F> = F extends (...args: infer A) => infer R
  ? Streams<R> extends true
    ? never
    : (...args: [...Sent<A>, options?: CallOptions]) => Promise<void>
  : never;

/**
 * Resolves with the method's result. For an async generator it returns a stream of the yielded items, and the call
 * begins when the stream is read.
 */
export type Ask<I> = { readonly [K in MethodName<I>]: Asked<I[K]> };

/**
 * Resolves when the message is in the mailbox. A refusal is not an unhandled rejection. A method that replies with
 * a stream is excluded, because nobody would read the stream.
 */
export type Tell<I> = { readonly [K in MethodName<I>]: Told<I[K]> };

export type Client<I> = Ask<I> & { readonly tell: Tell<I> };

/** The result of one instance. */
export type EachResult<T> = PromiseSettledResult<T> & {
  /** The thread of the instance; empty if the call was refused before the instance had one. */
  readonly thread: string;
  /** Empty unless the actor is keyed. */
  readonly key: string;
};

type AskedOfEach<F> = F extends (...args: infer A) => infer R
  ? Streams<R> extends true
    ? never
    : (...args: [...Sent<A>, options?: CallOptions]) => Promise<EachResult<Awaited<R>>[]>
  : never;

/** Calls every existing instance, and resolves with the result of each. */
export type Each<I> = { readonly [K in MethodName<I>]: AskedOfEach<I[K]> };

/** An actor without keys. */
export type Unkeyed<I> = Client<I> & { readonly each: Each<I> };

export interface Keyed<I> {
  readonly each: Each<I>;
  /** The instance for this key: the only one in the process. */
  of(key: string): Client<I>;
}

/** A class is keyed if its constructor's first parameter is a string. The methods of a module are its functions. */
export type Handle<C extends ActorClass | ActorModule> = C extends abstract new (
  ...args: infer A
) => infer I
  ? A extends readonly [string, ...unknown[]]
    ? Keyed<I>
    : Unkeyed<I>
  : Unkeyed<C>;
