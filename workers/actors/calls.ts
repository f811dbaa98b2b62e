/** The calls that this thread makes: each settles once, whatever becomes of the thread that has it. */
import { CallFlag, type Failure, How } from '../../wire/actors/messages.ts';
import { PayloadError } from '../../wire/payload/forms.ts';
import { optionsOf } from './call-options.ts';
import { collectCarried } from './carried.ts';
import type { ActorState } from './client.ts';
import { Deadlines, type Due } from './deadlines.ts';
import { type CallRecord, callFails, callStarts, told } from './diagnostics.ts';
import { ActorError, ActorErrorCode, type Begun, type EndedBy, isActorErrorCode } from './error.ts';
import { answering, type Child, type HostedCall } from './hosted-call.ts';
import { decoder, freeEncoder } from './payloads.ts';
import type { ReadStream, StreamSource } from './read-stream.ts';
import { type FedCall, placesOfStreams, SentInputs } from './sent-inputs.ts';
import type { ThreadLink } from './thread-link.ts';
import type { CallOptions, EachResult } from './types.ts';

/** The longest deadline: what the clock's difference can say, about 24 days. */
const MOST_DEADLINE_MS = 2 ** 31 - 1;

class MadeCall implements Child, Due, StreamSource, FedCall {
  readonly id: number;
  readonly actor: ActorState;
  readonly method: string;
  readonly bytes: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Takes the items of a streamed answer; null: it is none. */
  readonly stream: ReadStream | null;
  /** Null: no argument is a stream. */
  readonly inputs: SentInputs | null;
  /** What has come of a call for each instance; null: it is none. */
  readonly parts: EachResult<unknown>[] | null;
  readonly #calls: Calls;
  readonly #parent: HostedCall | undefined;
  readonly #signal: AbortSignal | undefined;
  dueMs = 0;
  queue: Due['queue'] = null;
  earlier: Due | null = null;
  later: Due | null = null;
  #onAbort: (() => void) | undefined;

  constructor(
    calls: Calls,
    id: number,
    actor: ActorState,
    method: string,
    bytes: number,
    parent: HostedCall | undefined,
    signal: AbortSignal | undefined,
    stream: ReadStream | null,
    inputs: SentInputs | null,
    parts: EachResult<unknown>[] | null,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#calls = calls;
    this.id = id;
    this.actor = actor;
    this.method = method;
    this.bytes = bytes;
    this.#parent = parent;
    this.#signal = signal;
    this.stream = stream;
    this.inputs = inputs;
    this.parts = parts;
    this.resolve = resolve;
    this.reject = reject;
  }

  watch(remainingMs: number): void {
    this.#calls.deadlines.add(this, Math.ceil(remainingMs));
    this.#parent?.adopt(this);
    if (this.#signal === undefined) return;
    const signal = this.#signal;
    this.#onAbort = () =>
      this.#calls.give(this, aborted(`${this.actor.settings.name}.${this.method}`, signal.reason, 'unknown'));
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  unwatch(): void {
    this.#calls.deadlines.delete(this);
    this.#parent?.disown(this);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  /** The call that this one was made for has no need of it any more. */
  abandon(): void {
    const reason = this.#parent?.aborted?.reason;
    this.#calls.give(this, aborted(`${this.actor.settings.name}.${this.method}`, reason, 'unknown'));
  }

  pull(items: number): void {
    this.#calls.pull(this, items);
  }

  /** Its reader has left. */
  giveUp(): void {
    this.#calls.give(this, aborted(`${this.actor.settings.name}.${this.method}`, undefined, 'unknown'));
  }

  get isOpen(): boolean {
    return this.#calls.isOpen(this);
  }

  failFor({ code, message, cause }: PayloadError): void {
    const text = `${this.actor.settings.name}.${this.method}: ${message}`;
    this.#calls.give(this, new ActorError(code, text, { begun: 'yes', by: 'caller', cause }));
  }

  late(): void {
    const message = `${this.actor.settings.name}.${this.method}: no answer by its deadline`;
    this.#calls.give(
      this,
      new ActorError(ActorErrorCode.Deadline, message, { begun: 'unknown', by: 'caller' }),
    );
  }
}

export class Calls {
  readonly thread: ThreadLink;
  readonly deadlines: Deadlines;
  readonly #open = new Map<number, MadeCall>();
  #lastId = 0;

  constructor(thread: ThreadLink) {
    this.thread = thread;
    this.deadlines = new Deadlines(thread);
  }

  get openCalls(): number {
    return this.#open.size;
  }

  isOpen(call: MadeCall): boolean {
    return this.#open.get(call.id) === call;
  }

  /** @throws ActorError as a rejection */
  make(
    actor: ActorState,
    key: string,
    method: string,
    flags: number,
    args: readonly unknown[],
    stream: ReadStream | null = null,
  ): Promise<unknown> {
    const { settings } = actor;
    const label = `${settings.name}.${method}`;
    const options = optionsOf(args);
    const parent = answering.getStore();
    const running = parent !== undefined && parent.state === 'running' ? parent : undefined;
    // A stream lasts as long as its reader reads, unless somebody says otherwise.
    const byDefaultMs = stream === null ? settings.deadlineMs : MOST_DEADLINE_MS;
    let remainingMs = Math.min(options?.deadlineMs ?? byDefaultMs, MOST_DEADLINE_MS);
    if (running !== undefined) remainingMs = Math.min(remainingMs, running.remainingMs);
    const record = callStarts(settings.name, key, method, flags);
    const refusal = this.#refusalOf(actor, label, running, options, remainingMs);
    if (refusal !== null) return this.#refused(refusal, flags, record);

    const encoder = freeEncoder();
    const sent: unknown[] = options === undefined ? [...args] : args.slice(0, -1);
    let allFlags = options?.hard === true ? flags | CallFlag.Hard : flags;
    const places = placesOfStreams(sent);
    let inputs: SentInputs | null = null;
    if (places !== null) {
      if ((flags & (CallFlag.Tell | CallFlag.Each)) !== 0) {
        return this.#refused(streamRefused(label, flags, places), flags, record);
      }
      inputs = new SentInputs(this.thread, sent, places, actor.limits, settings.streamGraceMs);
      for (const place of places) sent[place] = undefined;
      sent.push(places);
      allFlags |= CallFlag.Inputs;
    }
    const carried = collectCarried();
    if (carried !== null) {
      sent.push(carried);
      allFlags |= CallFlag.Carries;
    }
    sent.push(method);
    try {
      encoder.encode(sent, 'arguments', actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message, cause } = error;
      return this.#refused(
        new ActorError(code, `${label}: ${message}`, { begun: 'no', by: 'caller', cause }),
        flags,
        record,
      );
    }
    const { bytes, length } = encoder;
    if (actor.openBytes + length > settings.callerBytes) {
      return this.#refused(overloaded(label, `${settings.callerBytes} bytes`), flags, record);
    }
    const id = this.#nextId();
    const settling = Promise.withResolvers<unknown>();
    const { promise } = settling;
    const { resolve, reject } = record === null ? settling : told(record, settling);
    const call = new MadeCall(
      this,
      id,
      actor,
      method,
      length,
      running,
      options?.signal,
      stream,
      inputs,
      (flags & CallFlag.Each) === 0 ? null : [],
      resolve,
      reject,
    );
    this.#open.set(id, call);
    inputs?.opened(call);
    stream?.opened(call);
    actor.openCalls++;
    actor.openBytes += length;
    call.watch(remainingMs);
    const { dueMs: deadlineMs } = call;
    // Nobody waits for the end of a tell, so it can be part of no circle.
    const isChained = running !== undefined && (flags & CallFlag.Tell) === 0;
    const parentSlot = isChained ? running.slot + 1 : 0;
    const parentGeneration = isChained ? running.generation : 0;
    this.thread.send(bytes, length, (end, payload) =>
      end.sendCall(id, actor.index, allFlags, deadlineMs, parentSlot, parentGeneration, key, payload, length),
    );
    // Who does not await a tell does not want to hear of it: that is no unhandled rejection.
    if ((flags & CallFlag.Tell) !== 0) promise.catch(() => undefined);
    return promise;
  }

  #refusalOf(
    { settings, openCalls }: ActorState,
    label: string,
    running: HostedCall | undefined,
    options: CallOptions | undefined,
    remainingMs: number,
  ): ActorError | null {
    if (running?.aborted) return aborted(label, running.aborted.reason, 'no');
    if (options?.signal?.aborted === true) return aborted(label, options.signal.reason, 'no');
    if (!(remainingMs > 0)) {
      return new ActorError(ActorErrorCode.Deadline, `${label}: its deadline had passed when it was made`, {
        begun: 'no',
        by: 'caller',
      });
    }
    // Calls that were given up leave messages behind that wait for room as well.
    if (this.thread.unsentMessages > 2 * settings.callerMessages) return overloaded(label, 'a full ring');
    if (openCalls >= settings.callerMessages) return overloaded(label, `${settings.callerMessages} calls`);
    return this.thread.isOpen ? null : stopped(label, 'no');
  }

  #refused(error: ActorError, flags: number, record: CallRecord | null): Promise<never> {
    callFails(record, error);
    const refused = Promise.reject(error);
    // As above.
    if ((flags & CallFlag.Tell) !== 0) refused.catch(() => undefined);
    return refused;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#open.has(this.#lastId));
    return this.#lastId;
  }

  onResult(id: number, how: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#open.get(id);
    // It was given up, which crossed with its answer.
    if (call === undefined) return;
    const { actor, method, resolve, reject } = call;
    this.#settle(call);
    if (how === How.Accepted) {
      resolve(undefined);
      return;
    }
    let value: unknown;
    try {
      value = decoder.decode(bytes, start, end, actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message } = error;
      reject(
        new ActorError(code, `${actor.settings.name}.${method}: ${message}`, { begun: 'yes', by: 'server' }),
      );
      return;
    }
    if (how === How.Value) resolve(call.parts ?? value);
    else if (how === How.Threw) reject(value);
    else reject(failed(value as Failure, method));
  }

  onPart(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const call = this.#open.get(id);
    // As above.
    if (call === undefined || call.parts === null) return;
    const { actor, method, parts } = call;
    let value: unknown;
    try {
      value = decoder.decode(bytes, start, end, actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const text = `${actor.settings.name}.${method}: ${error.message}`;
      const reason = new ActorError(error.code, text, { begun: 'yes', by: 'server' });
      parts.push({ status: 'rejected', reason, thread, key });
      return;
    }
    if (how === How.Value) parts.push({ status: 'fulfilled', value, thread, key });
    else {
      const reason = how === How.Threw ? value : failed(value as Failure, method);
      parts.push({ status: 'rejected', reason, thread, key });
    }
  }

  onItem(id: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#open.get(id);
    // As above.
    if (call === undefined || call.stream === null) return;
    let value: unknown;
    try {
      value = decoder.decode(bytes, start, end, call.actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const label = `${call.actor.settings.name}.${call.method}`;
      this.give(
        call,
        new ActorError(error.code, `${label}: ${error.message}`, { begun: 'yes', by: 'server' }),
      );
      return;
    }
    call.stream.item(value);
  }

  onWant(id: number, input: number, items: number): void {
    this.#open.get(id)?.inputs?.want(input, items);
  }

  /** The reader has taken so many items. */
  pull(call: MadeCall, items: number): void {
    if (this.#open.get(call.id) !== call) return;
    const { id } = call;
    this.thread.send(NOTHING, 0, (end) => end.sendPull(id, items));
  }

  /** Its caller waits no longer: it settles at once, and whoever has it is told. */
  give(call: MadeCall, error: ActorError): void {
    if (this.#open.get(call.id) !== call) return;
    this.#settle(call);
    const { id } = call;
    this.thread.send(NOTHING, 0, (end) => end.sendCancel(id));
    call.reject(error);
  }

  /** The thread's channel is closed. */
  endAll(): void {
    for (const call of [...this.#open.values()]) {
      this.#settle(call);
      call.reject(stopped(`${call.actor.settings.name}.${call.method}`, 'unknown'));
    }
    this.deadlines.clear();
  }

  #settle(call: MadeCall): void {
    this.#open.delete(call.id);
    call.actor.openCalls--;
    call.actor.openBytes -= call.bytes;
    call.unwatch();
    call.inputs?.giveUp();
  }
}

const NOTHING = new Uint8Array(0);

function streamRefused(label: string, flags: number, places: readonly number[]): ActorError {
  const where =
    (flags & CallFlag.Tell) !== 0
      ? 'in a tell, as nobody gives it more once it is in the mailbox'
      : 'in a call for each instance, as a stream is read once';
  return new ActorError(
    ActorErrorCode.MessageInvalid,
    `${label}: expected plain data ${where}, got a stream at arguments[${places[0]}]`,
    { begun: 'no', by: 'caller' },
  );
}

function overloaded(label: string, most: string): ActorError {
  return new ActorError(
    ActorErrorCode.Overloaded,
    `${label}: expected at most ${most} of this thread under way to this actor, and there are as many`,
    { begun: 'no', by: 'caller' },
  );
}

function aborted(label: string, cause: unknown, begun: Begun): ActorError {
  return new ActorError(ActorErrorCode.Aborted, `${label}: its caller gave it up`, {
    begun,
    by: 'caller',
    cause,
  });
}

function stopped(label: string, begun: Begun): ActorError {
  return new ActorError(ActorErrorCode.Stopped, `${label}: this thread stops`, { begun, by: 'server' });
}

const BY_ACTOR: ReadonlySet<string> = new Set([
  ActorErrorCode.Died,
  ActorErrorCode.MethodUnknown,
  ActorErrorCode.MessageInvalid,
  ActorErrorCode.MessageTooLarge,
]);

function failed({ code, message, begun }: Failure, method: string): ActorError {
  const by: EndedBy = BY_ACTOR.has(code) ? 'actor' : 'server';
  const text = `${message} (method ${method})`;
  return new ActorError(isActorErrorCode(code) ? code : ActorErrorCode.Died, text, { begun, by });
}
