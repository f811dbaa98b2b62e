/** Types of actors and of their clients. A client's are inferred from the actor's class. */

/** What a method is told of its call: its last parameter. */
export interface Call {
  /** Aborts when nobody waits for the reply any more: the caller gave up, its deadline passed, or its thread ended. */
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline; 0 and less: it has passed. */
  readonly remainingMs: number;
}

/** What an actor is told of itself: the second argument of a keyed actor's constructor, the first one of the others. */
export interface ActorContext {
  /** As the configuration names it. */
  readonly actor: string;
  /** Empty unless the actor is keyed. */
  readonly key: string;
  readonly pool: string;
  /** The thread's name, as the log has it. */
  readonly thread: string;
  /**
   * The instance is to begin anew: it begins nothing more, what it has begun ends, `stop` runs, and a new object of the class starts in its
   * place, for what waits. @param reason for the log
   */
  restart(reason?: unknown): void;
}

export interface CallOptions {
  /** From now on. Default: the actor's `deadlineMs`; at most what is left of the call that this one is made for. */
  readonly deadlineMs?: number;
  /** Ends the wait at once, aborts the method's `call.signal`, and harms nobody else. */
  readonly signal?: AbortSignal;
  /**
   * For a method that listens to no signal: when the call is given up, for whatever reason, and has not ended after the actor's
   * `hardAbortGraceMs`, its thread is ended. What else that thread has begun fails with `SLUICE_ACTOR_DIED`; the rest moves.
   */
  readonly hard?: boolean;
  /**
   * For a stream of large byte arrays: an item that is a Uint8Array is valid until the next item is asked for, because a later item is
   * copied into the same memory. Without it each item has memory of its own, which costs more than the copy.
   */
  readonly reuseMemory?: boolean;
}

export type ActorClass = abstract new (...args: never[]) => object;

/** A module of task functions: `typeof import('./tasks.ts')`. */
export type ActorModule = object;

/** Not to be called from outside. */
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
 * The parameters without the call. None may be left out: the call comes behind what was sent, so it would take that place. Pass
 * `undefined` for one that the method may do without.
 */
type Sent<A extends readonly unknown[]> =
  Passed<A> extends readonly [...infer D, Call | undefined] ? D : Passed<A>;

/** Each has to be passed, and one that was optional may be `undefined`, which `Required` alone takes away. */
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

/** Resolves with what the method returns; of an async generator, a stream of what it yields, which begins when it is read. */
export type Ask<I> = { readonly [K in MethodName<I>]: Asked<I[K]> };

/**
 * Resolves when the message is in the mailbox. Whoever does not await it does not hear that it was refused. A method that replies with a
 * stream cannot be told, as nobody would read the stream.
 */
export type Tell<I> = { readonly [K in MethodName<I>]: Told<I[K]> };

export type Client<I> = Ask<I> & { readonly tell: Tell<I> };

/** Of one instance. */
export type EachResult<T> = PromiseSettledResult<T> & {
  /** Where the instance lives; empty: it was refused before it had a thread. */
  readonly thread: string;
  /** Empty unless the actor is keyed. */
  readonly key: string;
};

type AskedOfEach<F> = F extends (...args: infer A) => infer R
  ? Streams<R> extends true
    ? never
    : (...args: [...Sent<A>, options?: CallOptions]) => Promise<EachResult<Awaited<R>>[]>
  : never;

/** Calls every instance that there is, and resolves with what became of each. */
export type Each<I> = { readonly [K in MethodName<I>]: AskedOfEach<I[K]> };

/** An actor without keys. */
export type Unkeyed<I> = Client<I> & { readonly each: Each<I> };

export interface Keyed<I> {
  readonly each: Each<I>;
  /** The instance for this key: the only one in the process. */
  of(key: string): Client<I>;
}

/** A class whose constructor begins with a string takes a key. Of a module the functions are the methods. */
export type Handle<C extends ActorClass | ActorModule> = C extends abstract new (
  ...args: infer A
) => infer I
  ? A extends readonly [string, ...unknown[]]
    ? Keyed<I>
    : Unkeyed<I>
  : Unkeyed<C>;
