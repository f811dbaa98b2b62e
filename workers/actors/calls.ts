/** The calls that this thread makes. Each settles once, even if the thread that runs it dies. */
import { CallFlag, type ChainCall, type Failure, type Grant, How } from '../../wire/actors/messages.ts';
import { PayloadError } from '../../wire/payload/forms.ts';
import { optionsOf } from './call-options.ts';
import { type Carried, collectCarried } from './carried.ts';
import { carriedChain, namedToReactor } from './chain.ts';
import { Deadlines, type Due } from './deadlines.ts';
import { type CallRecord, callFails, callStarts, told } from './diagnostics.ts';
import type { DirectCaller } from './direct/direct-caller.ts';
import { type ReactorWay, Ways, type WaysOptions } from './direct/ways.ts';
import { ActorError, ActorErrorCode, type EndedBy, isActorErrorCode } from './error.ts';
import { type HostedCall, runningCall } from './hosted-call.ts';
import { type CalledActor, type CallOwner, labelOf, MadeCall } from './made-call.ts';
import { decoder, freeEncoder } from './payloads.ts';
import type { ReadStream } from './read-stream.ts';
import { abortionOf, overloaded, stopped, streamRefused } from './refusals.ts';
import { placesOfStreams, SentInputs } from './sent-inputs.ts';
import type { ThreadLink } from './thread-link.ts';
import type { CallOptions } from './types.ts';

/**
 * The longest deadline, about 24 days: the largest difference that the clock can represent, less some hours,
 * because the reactor reads its clock once a turn, possibly before the caller read its own.
 */
const MOST_DEADLINE_MS = 2 ** 31 - 2 ** 24;

export class Calls implements CallOwner, ReactorWay {
  readonly thread: ThreadLink;
  readonly ways: Ways;
  readonly deadlines: Deadlines;
  /** Calls that went through the reactor, by number. */
  readonly #open = new Map<number, MadeCall>();
  #lastId = 0;
  /** All calls that have not settled. */
  openCalls = 0;

  constructor(thread: ThreadLink, direct: WaysOptions) {
    this.thread = thread;
    this.deadlines = new Deadlines(thread);
    this.ways = new Ways(this, direct);
  }

  /** @throws ActorError as a rejection */
  make(
    actor: CalledActor,
    key: string,
    method: string,
    flags: number,
    args: readonly unknown[],
    stream: ReadStream | null = null,
  ): Promise<unknown> {
    const { settings } = actor;
    const options = optionsOf(args);
    const parent = runningCall.getStore();
    const running = parent !== undefined && parent.state === 'running' ? parent : undefined;
    // A stream lasts as long as its reader reads, unless somebody says otherwise.
    const byDefaultMs = stream === null ? settings.deadlineMs : MOST_DEADLINE_MS;
    let remainingMs = Math.min(options?.deadlineMs ?? byDefaultMs, MOST_DEADLINE_MS);
    if (running !== undefined) remainingMs = Math.min(remainingMs, running.remainingMs);
    const record = callStarts(settings.name, key, method, flags);
    const refusal = this.#refusalOf(actor, method, running, options, remainingMs);
    if (refusal !== null) return this.#refused(refusal, flags, record);

    const encoder = freeEncoder();
    const sent: unknown[] = options === undefined ? [...args] : args.slice(0, -1);
    let allFlags = options?.hard === true ? flags | CallFlag.Hard : flags;
    const places = placesOfStreams(sent);
    let inputs: SentInputs | null = null;
    if (places !== null) {
      if ((flags & (CallFlag.Tell | CallFlag.Each)) !== 0) {
        return this.#refused(streamRefused(labelOf(actor, method), flags, places), flags, record);
      }
      inputs = new SentInputs(this.thread, sent, places, actor.limits, settings.streamGraceMs);
      for (const place of places) sent[place] = undefined;
      sent.push(places);
      allFlags |= CallFlag.Inputs;
    }
    let carried: Carried | null;
    try {
      carried = collectCarried();
    } catch (error) {
      return this.#refused(error, flags, record);
    }
    if (carried !== null) {
      sent.push(carried);
      allFlags |= CallFlag.Carries;
    }
    // Nobody waits for the end of a tell, so it can be part of no circle.
    if (running !== undefined && (flags & CallFlag.Tell) === 0 && this.ways.areOpen) {
      sent.push(carriedChain(running.chain, actor));
      allFlags |= CallFlag.Chained;
    }
    sent.push(method);
    try {
      encoder.encodeList(sent, 'arguments', actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message, cause } = error;
      return this.#refused(
        new ActorError(code, `${labelOf(actor, method)}: ${message}`, { begun: 'no', by: 'caller', cause }),
        flags,
        record,
      );
    }
    const { bytes, length } = encoder;
    // A getter among the arguments may have given the call up.
    const givenUp = abortionOf(actor, method, running, options);
    if (givenUp !== null) return this.#refused(givenUp, flags, record);
    if (actor.openBytes + length > settings.callerBytes) {
      const error = overloaded(labelOf(actor, method), `${settings.callerBytes} bytes`);
      return this.#refused(error, flags, record);
    }
    const settling = Promise.withResolvers<unknown>();
    const { promise } = settling;
    const { resolve, reject } = record === null ? settling : told(record, settling);
    const call = new MadeCall(
      this,
      actor,
      key,
      method,
      allFlags,
      length,
      running,
      options?.signal,
      stream,
      inputs,
      resolve,
      reject,
    );
    inputs?.opened(call);
    stream?.opened(call);
    if (options?.reuseMemory === true) stream?.reuseMemory();
    this.openCalls++;
    actor.openCalls++;
    actor.openBytes += length;
    call.watch(remainingMs);
    this.ways.give(call, bytes, length);
    // Who does not await a tell does not want to hear of it: that is no unhandled rejection.
    if ((flags & CallFlag.Tell) !== 0) promise.catch(() => undefined);
    return promise;
  }

  /** Why the call is not made; null: it is made. */
  #refusalOf(
    actor: CalledActor,
    method: string,
    running: HostedCall | undefined,
    options: CallOptions | undefined,
    remainingMs: number,
  ): ActorError | null {
    const { settings, openCalls } = actor;
    const givenUp = abortionOf(actor, method, running, options);
    if (givenUp !== null) return givenUp;
    if (!(remainingMs > 0)) {
      const message = `${labelOf(actor, method)}: its deadline had passed when it was made`;
      return new ActorError(ActorErrorCode.Deadline, message, { begun: 'no', by: 'caller' });
    }
    // Calls that were given up leave messages behind that wait for room as well.
    if (this.thread.unsentMessages > 2 * settings.callerMessages)
      return overloaded(labelOf(actor, method), 'a full ring');
    if (openCalls >= settings.callerMessages)
      return overloaded(labelOf(actor, method), `${settings.callerMessages} calls`);
    return this.thread.isOpen ? null : stopped(labelOf(actor, method), 'no');
  }

  #refused(error: unknown, flags: number, record: CallRecord | null): Promise<never> {
    callFails(record, error);
    const refused = Promise.reject(error);
    // As above.
    if ((flags & CallFlag.Tell) !== 0) refused.catch(() => undefined);
    return refused;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#lastId === 0 || this.#open.has(this.#lastId));
    return this.#lastId;
  }

  // ---- ReactorWay

  send(call: MadeCall, bytes: Uint8Array, length: number, moved: number): void {
    const id = this.#nextId();
    call.id = id;
    this.#open.set(id, call);
    const { actor, key, dueMs: deadlineMs } = call;
    const parent = (call.flags & CallFlag.Tell) === 0 ? call.parent : undefined;
    const parentGeneration = parent?.generation ?? 0;
    let { flags } = call;
    let parentSlot = parent === undefined ? 0 : parent.slot + 1;
    let named: readonly ChainCall[] = [];
    if (parent !== undefined && (moved !== -1 || parent.source.number !== 0)) {
      named = namedToReactor(parent.chain);
      parentSlot = 0;
      flags |= CallFlag.Under;
    }
    if (moved !== -1) {
      flags |= CallFlag.Moved;
      parentSlot = moved;
    }
    // What met a full ring is sent again from where it was refused.
    let said = 0;
    this.thread.send(bytes, length, (end, payload) => {
      for (; said < named.length; said++) if (!end.sendUnder(named[said] as ChainCall)) return false;
      return end.sendCall(
        id,
        actor.index,
        flags,
        deadlineMs,
        parentSlot,
        parentGeneration,
        key,
        payload,
        length,
      );
    });
  }

  join(actor: CalledActor, key: string, refused: () => void): MadeCall | null {
    const { settings } = actor;
    if (!this.thread.isOpen) return null;
    const join = new MadeCall(
      this,
      actor,
      key,
      'joins',
      CallFlag.Joins,
      0,
      undefined,
      undefined,
      null,
      null,
      refused,
      refused,
    );
    this.openCalls++;
    join.watch(settings.deadlineMs);
    this.send(join, NOTHING, 0, -1);
    return join;
  }

  cancelJoin(join: MadeCall): void {
    if (!join.isOpen) return;
    this.#settle(join);
    this.#cancel(join);
  }

  get nowMs(): number {
    return this.thread.turnClockMs;
  }

  setTimer(callback: () => void, afterMs: number): object {
    return this.thread.setTimer(callback, afterMs);
  }

  tellBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): void {
    this.thread.send(NOTHING, 0, (end) => end.sendBack(conversation, messages, bytes, made, idleMs));
  }

  // ---- from the reactor

  onJoined(id: number, grant: Grant): void {
    const join = this.#open.get(id);
    if (join !== undefined && grant.left === 0) this.#settle(join);
    this.ways.onJoined(join, grant);
  }

  /** The channel has ended, and with it all calls that had begun over it. */
  onSevered(number: number): DirectCaller | null {
    return this.ways.onSevered(number, (call) => {
      this.#settle(call);
      const message = `${call.label}: its thread, or the channel to it, ended while the method ran`;
      call.reject(new ActorError(ActorErrorCode.Died, message, { begun: 'yes', by: 'actor' }));
    });
  }

  onResult(id: number, how: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#open.get(id);
    // The caller may have given the call up while the reply was on its way.
    if (call !== undefined) this.onResultOf(call, how, bytes, start, end);
  }

  onResultOf(call: MadeCall, how: number, bytes: Buffer, start: number, end: number): void {
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
    else reject(failed(value, method));
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
      const reason = how === How.Threw ? value : failed(value, method);
      parts.push({ status: 'rejected', reason, thread, key });
    }
  }

  onItem(id: number, bytes: Buffer, start: number, end: number): void {
    const call = this.#open.get(id);
    // As above.
    if (call !== undefined) this.onItemOf(call, bytes, start, end);
  }

  onItemOf(call: MadeCall, bytes: Buffer, start: number, end: number): void {
    if (call.stream === null) return;
    let value: unknown;
    try {
      value =
        call.stream.memory?.take(bytes, start, end) ?? decoder.decode(bytes, start, end, call.actor.limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const text = `${call.label}: ${error.message}`;
      this.give(call, new ActorError(error.code, text, { begun: 'yes', by: 'server' }));
      return;
    }
    call.stream.item(value);
  }

  onWant(id: number, input: number, items: number): void {
    this.#open.get(id)?.inputs?.want(input, items);
  }

  // ---- CallOwner

  addDeadline(call: Due, lengthMs: number): void {
    this.deadlines.add(call, lengthMs);
  }

  deleteDeadline(call: Due): void {
    this.deadlines.delete(call);
  }

  /** The reader has taken this many items. */
  pull(call: MadeCall, items: number): void {
    if (!call.isOpen) return;
    if (call.channel !== null) {
      call.channel.pull(call, items);
      return;
    }
    const { id } = call;
    this.thread.send(NOTHING, 0, (end) => end.sendPull(id, items));
  }

  /** The next of a streamed input, or how it ended. */
  input(call: MadeCall, input: number, how: How, bytes: Uint8Array, length: number): void {
    if (!call.isOpen) return;
    if (call.channel !== null) {
      if (call.channel.input(call, input, how, bytes, length)) return;
      const message = `${call.label}: its thread has not read what came before`;
      this.give(call, new ActorError(ActorErrorCode.Overloaded, message, { begun: 'yes', by: 'server' }));
      return;
    }
    const { id } = call;
    this.thread.send(bytes, length, (end, payload) => end.sendInput(id, input, how, payload, length));
  }

  /** Its caller has given it up: the call settles at once, and the thread that has it is informed. */
  give(call: MadeCall, error: ActorError): void {
    if (!call.isOpen) return;
    this.#settle(call);
    if (call.channel !== null) call.channel.cancel(call);
    else this.#cancel(call);
    call.reject(error);
  }

  #cancel({ id }: MadeCall): void {
    // One that was held has no number: nobody knows of it.
    if (id !== 0) this.thread.send(NOTHING, 0, (end) => end.sendCancel(id));
  }

  /** The thread's channel is closed. */
  endAll(): void {
    for (const call of [...this.#open.values(), ...this.ways.openCalls()]) {
      if (!call.isOpen) continue;
      this.#settle(call);
      call.reject(stopped(call.label, 'unknown'));
    }
    this.deadlines.clear();
  }

  #settle(call: MadeCall): void {
    call.isOpen = false;
    if (call.talk !== null) call.talk.open--;
    if (call.id !== 0) this.#open.delete(call.id);
    this.openCalls--;
    if ((call.flags & CallFlag.Joins) === 0) call.actor.openCalls--;
    call.actor.openBytes -= call.bytes;
    call.unwatch();
    call.inputs?.giveUp();
  }
}

const NOTHING = new Uint8Array(0);

const BY_ACTOR: ReadonlySet<string> = new Set([
  ActorErrorCode.Died,
  ActorErrorCode.StartTimeout,
  ActorErrorCode.MethodUnknown,
  ActorErrorCode.MessageInvalid,
  ActorErrorCode.MessageTooLarge,
]);

/** Stands in for the invalid failure that a faulty thread has written. */
const NO_FAILURE: Failure = {
  code: ActorErrorCode.MessageInvalid,
  message: 'expected a failure, and got something else',
  begun: 'yes',
};

function isFailure(value: unknown): value is Failure {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message, begun } = value as { readonly [name: string]: unknown };
  return typeof code === 'string' && typeof message === 'string' && (begun === 'no' || begun === 'yes');
}

function failed(value: unknown, method: string): ActorError {
  const { code, message, begun } = isFailure(value) ? value : NO_FAILURE;
  const by: EndedBy = BY_ACTOR.has(code) ? 'actor' : 'server';
  const text = `${message} (method ${method})`;
  return new ActorError(isActorErrorCode(code) ? code : ActorErrorCode.Died, text, { begun, by });
}
