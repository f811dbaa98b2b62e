/**
 * The client of an actor, to which `actor(name)` leads: an object whose methods are calls.
 *
 * The actor's thread reports the names of its methods. A name that it has not reported throws at once, and `then` is
 * never one. Until the first such thread has started the names are unknown; a wrong name then fails where the call
 * runs.
 */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { type ActorManifest, CallFlag, type MethodManifest } from '../../wire/actors/messages.ts';
import type { PayloadLimits } from '../../wire/payload/forms.ts';
import { nameOf } from '../exchange/values.ts';
import { ActorError, ActorErrorCode } from './error.ts';
import type { CalledActor } from './made-call.ts';
import { ReadStream } from './read-stream.ts';

type Method = (...args: unknown[]) => unknown;

const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A call of a method that is not known yet. Awaiting it makes it an ask, reading it makes it a stream. */
class Unknown implements PromiseLike<unknown>, AsyncIterable<unknown> {
  readonly #stream: ReadStream;
  readonly #ask: () => Promise<unknown>;
  #reply: Promise<unknown> | null = null;

  constructor(stream: ReadStream, ask: () => Promise<unknown>) {
    this.#stream = stream;
    this.#ask = ask;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#stream;
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting it is what makes it an ask
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#reply ??= this.#ask();
    return this.#reply.then(fulfilled, rejected);
  }
}

/** Makes the calls of this thread. */
export interface CallMaker {
  make(
    actor: CalledActor,
    key: string,
    method: string,
    flags: number,
    args: readonly unknown[],
    stream?: ReadStream | null,
  ): Promise<unknown>;
}

/** What this thread knows about an actor. */
export class ActorState implements CalledActor {
  readonly index: number;
  readonly settings: ActorSettings;
  readonly limits: PayloadLimits;
  /** This thread's open calls to the actor, and their bytes. */
  openCalls = 0;
  openBytes = 0;
  readonly #calls: CallMaker;
  /** The methods by name; null: not known yet. */
  #methods: ReadonlyMap<string, MethodManifest> | null = null;
  /** The classes of clients, for asks and for tells. They are made again when the methods become known. */
  #Asks = clientClass(this, 0);
  #Tells = clientClass(this, CallFlag.Tell);
  #Each = clientClass(this, CallFlag.Each);
  /** The members of an actor without keys, by name, so that each is made once. */
  readonly #members = new Map<string, unknown>();

  constructor(index: number, settings: ActorSettings, limits: PayloadLimits, calls: CallMaker) {
    this.index = index;
    this.settings = settings;
    this.limits = limits;
    this.#calls = calls;
  }

  get methods(): ReadonlyMap<string, MethodManifest> | null {
    return this.#methods;
  }

  /** A thread that hosts the actor has started. */
  learn({ methods }: ActorManifest): void {
    this.#methods = new Map(methods.map((method) => [method.name, method]));
    this.#Asks = clientClass(this, 0);
    this.#Tells = clientClass(this, CallFlag.Tell);
    this.#Each = clientClass(this, CallFlag.Each);
    this.#members.clear();
  }

  /** A member of the client without a key; a method is bound to it. */
  member(name: string): unknown {
    const known = this.#members.get(name);
    if (known !== undefined) return known;
    const client = this.ask('');
    const member: unknown = Reflect.get(client, name);
    const own: unknown = typeof member === 'function' ? member.bind(client) : member;
    // Other names are anybody's, and would grow without end.
    if (this.#methods?.has(name)) this.#members.set(name, own);
    return own;
  }

  ask(key: string): ActorClient {
    return new this.#Asks(key);
  }

  tell(key: string): ActorClient {
    return new this.#Tells(key);
  }

  each(): ActorClient {
    return new this.#Each('');
  }

  /** A promise of the reply, or a stream. While it is not known which, the first use decides. */
  call(key: string, name: string, flags: number, args: readonly unknown[]): unknown {
    const method = this.#methods?.get(name);
    if (method === undefined && this.#methods !== null) this.refuseName(name);
    const all = method?.interleaves === true ? flags | CallFlag.Interleaves : flags;
    const isOne = (flags & (CallFlag.Tell | CallFlag.Each)) !== 0;
    if (isOne && method?.streams === true) this.#refuseStream(name, flags);
    if (isOne || method?.streams === false) return this.#calls.make(this, key, name, all, args);
    const stream = new ReadStream(
      (reader) => this.#calls.make(this, key, name, all | CallFlag.Streams, args, reader),
      this.settings.streamItems,
    );
    if (method !== undefined) return stream;
    return new Unknown(stream, () => this.#calls.make(this, key, name, all, args));
  }

  #refuseStream(method: string, flags: number): never {
    const where =
      (flags & CallFlag.Tell) === 0 ? 'a call for each instance' : 'a tell, whose reply nobody reads';
    throw new ActorError(
      ActorErrorCode.MethodUnknown,
      `${this.settings.name}: expected a method that replies once, in ${where}; ${method} replies with a stream`,
      { begun: 'no', by: 'caller' },
    );
  }

  refuseName(method: string): never {
    const known = [...(this.#methods?.keys() ?? [])].join(', ');
    throw new ActorError(
      ActorErrorCode.MethodUnknown,
      `${this.settings.name}: expected one of its methods (${known}), got ${method}`,
      { begun: 'no', by: 'caller' },
    );
  }
}

/** The methods are on the prototype of the class that was made for the actor. */
export class ActorClient {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  static keyOf(client: ActorClient): string {
    return client.#key;
  }

  /** Without it, `console.log` would ask for names that are not methods, which throws. */
  [INSPECT](): string {
    return this.#key === '' ? 'ActorClient' : `ActorClient of ${JSON.stringify(this.#key)}`;
  }
}

function clientClass(state: ActorState, flags: number): typeof ActorClient {
  class Client extends ActorClient {}
  const { prototype } = Client;
  for (const name of state.methods?.keys() ?? []) {
    define(prototype, name, function method(this: ActorClient, ...args: unknown[]) {
      return state.call(ActorClient.keyOf(this), name, flags, args);
    });
  }
  if (flags === 0) {
    Object.defineProperty(prototype, 'tell', {
      get(this: ActorClient) {
        return state.tell(ActorClient.keyOf(this));
      },
    });
  }
  // Behind its own methods: whatever else is asked for is a name that the actor has not, or that is not known yet.
  Object.setPrototypeOf(prototype, new Proxy(ActorClient.prototype, { get: otherName(state, flags) }));
  return Client;
}

function define(
  prototype: object,
  name: string,
  value: (this: ActorClient, ...args: unknown[]) => unknown,
): void {
  Object.defineProperty(prototype, name, { value });
}

function otherName(state: ActorState, flags: number) {
  return (target: object, name: string | symbol, client: unknown): unknown => {
    // Of every object; and what `await` and `JSON.stringify` look for.
    if (typeof name === 'symbol' || name in target) return Reflect.get(target, name, client);
    if (name === 'then' || name === 'toJSON') return undefined;
    // A client that was made before anybody knew the methods finds them as well.
    if (state.methods?.has(name) === false) state.refuseName(name);
    const method: Method = (...args) =>
      state.call(ActorClient.keyOf(client as ActorClient), name, flags, args);
    return method;
  };
}

/** @throws ActorError `SLUICE_ACTOR_KEY_INVALID` */
export function requireKey({ name, maxKeyChars }: ActorSettings, key: unknown): asserts key is string {
  if (typeof key === 'string' && key.length <= maxKeyChars && key.isWellFormed()) return;
  const got = typeof key === 'string' ? `one of ${key.length} characters` : nameOf(key);
  throw new ActorError(
    ActorErrorCode.KeyInvalid,
    `${name}: expected a key, a well-formed string of at most ${maxKeyChars} characters, got ${got}`,
    { begun: 'no', by: 'caller' },
  );
}
