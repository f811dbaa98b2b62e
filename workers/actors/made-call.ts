/** A call that this thread has made, until it settles. */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { CallFlag, type How } from '../../wire/actors/messages.ts';
import { shortLivedCopyOf } from '../../wire/bytes.ts';
import type { PayloadError, PayloadLimits } from '../../wire/payload/forms.ts';
import type { Due, DueQueue } from './deadlines.ts';
import { ActorError, ActorErrorCode, type Begun } from './error.ts';
import type { Child, HostedCall } from './hosted-call.ts';
import type { ReadStream, StreamSource } from './read-stream.ts';
import type { FedCall, SentInputs } from './sent-inputs.ts';
import type { EachResult } from './types.ts';

/** An actor as its callers in this thread know it. */
export interface CalledActor {
  readonly index: number;
  readonly settings: ActorSettings;
  readonly limits: PayloadLimits;
  /** Calls of this thread that have not ended, and bytes of them. */
  openCalls: number;
  openBytes: number;
}

/** What a call needs of its owner. */
export interface CallOwner {
  addDeadline(call: Due, lengthMs: number): void;
  deleteDeadline(call: Due): void;
  /** Called when the caller has given the call up. */
  give(call: MadeCall, error: ActorError): void;
  pull(call: MadeCall, items: number): void;
  input(call: MadeCall, input: number, how: How, bytes: Uint8Array, length: number): void;
}

/** The direct channel that carries the call, in a slot of its own. */
export interface GivenTo {
  cancel(call: MadeCall): void;
  pull(call: MadeCall, items: number): void;
  /** @returns false if the other thread has too many unread messages */
  input(call: MadeCall, input: number, how: number, bytes: Uint8Array, length: number): boolean;
}

export class MadeCall implements Child, Due, StreamSource, FedCall {
  /** Sends it through the reactor. */
  id = 0;
  readonly actor: CalledActor;
  readonly key: string;
  readonly method: string;
  readonly flags: number;
  readonly bytes: number;
  /** The call whose method makes this one; undefined: no method does. */
  readonly parent: HostedCall | undefined;
  /** Takes the items of a streamed reply; null: the reply is not a stream. */
  readonly stream: ReadStream | null;
  /** Null: no argument is a stream. */
  readonly inputs: SentInputs | null;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** The results so far of a call to `each`; null for any other call. */
  readonly parts: EachResult<unknown>[] | null;
  isOpen = true;
  /** The payload, kept as long as it may have to be sent again. */
  payload: Buffer | null = null;
  /** Its talk, if it may use a direct channel. */
  talk: { open: number } | null = null;
  /** The direct channel that it was sent over; null: it was not. */
  channel: GivenTo | null = null;
  slot = -1;
  generation = 0;
  /** Calls that were sent later have a greater number. */
  sequence = 0;
  dueMs = 0;
  queue: DueQueue | null = null;
  earlier: Due | null = null;
  later: Due | null = null;
  readonly #owner: CallOwner;
  readonly #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    owner: CallOwner,
    actor: CalledActor,
    key: string,
    method: string,
    flags: number,
    bytes: number,
    parent: HostedCall | undefined,
    signal: AbortSignal | undefined,
    stream: ReadStream | null,
    inputs: SentInputs | null,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#owner = owner;
    this.actor = actor;
    this.key = key;
    this.method = method;
    this.flags = flags;
    this.parts = (flags & CallFlag.Each) === 0 ? null : [];
    this.bytes = bytes;
    this.parent = parent;
    this.#signal = signal;
    this.stream = stream;
    this.inputs = inputs;
    this.resolve = resolve;
    this.reject = reject;
  }

  keep(bytes: Uint8Array, length: number): void {
    this.payload = shortLivedCopyOf(bytes, 0, length);
  }

  watch(remainingMs: number): void {
    this.#owner.addDeadline(this, Math.ceil(remainingMs));
    this.parent?.adopt(this);
    if (this.#signal === undefined) return;
    const signal = this.#signal;
    this.#onAbort = () => this.#owner.give(this, aborted(this.label, signal.reason, 'unknown'));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  unwatch(): void {
    this.#owner.deleteDeadline(this);
    this.parent?.disown(this);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  get label(): string {
    return labelOf(this.actor, this.method);
  }

  /** The call within which this one was made has ended. */
  abandon(): void {
    this.#owner.give(this, aborted(this.label, this.parent?.aborted?.reason, 'unknown'));
  }

  pull(items: number): void {
    this.#owner.pull(this, items);
  }

  input(input: number, how: How, bytes: Uint8Array, length: number): void {
    this.#owner.input(this, input, how, bytes, length);
  }

  /** The reader of its stream has left. */
  giveUp(): void {
    this.#owner.give(this, aborted(this.label, undefined, 'unknown'));
  }

  failFor({ code, message, cause }: PayloadError): void {
    const text = `${this.label}: ${message}`;
    this.#owner.give(this, new ActorError(code, text, { begun: 'yes', by: 'caller', cause }));
  }

  late(): void {
    const message = `${this.label}: no reply by its deadline`;
    this.#owner.give(
      this,
      new ActorError(ActorErrorCode.Deadline, message, { begun: 'unknown', by: 'caller' }),
    );
  }
}

/** The name of a method in error messages. */
export function labelOf({ settings }: CalledActor, method: string): string {
  return `${settings.name}.${method}`;
}

export function aborted(label: string, cause: unknown, begun: Begun): ActorError {
  return new ActorError(ActorErrorCode.Aborted, `${label}: its caller gave it up`, {
    begun,
    by: 'caller',
    cause,
  });
}
