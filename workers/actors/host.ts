/**
 * Hosts the actors of this thread: creates instances, runs the calls that the reactor and other threads send, and replies to them.
 *
 * A call is claimed when its method begins. Until then its sender can take it back, either to give it to another thread or because its caller
 * has given it up.
 */

import { performance } from 'node:perf_hooks';
import { ActorCounter } from '../../wire/actors/counters.ts';
import { type ActorManifest, CallFlag, How } from '../../wire/actors/messages.ts';
import { shortLivedCopyOf } from '../../wire/bytes.ts';
import { corrupt } from '../../wire/decoder.ts';
import { PayloadError } from '../../wire/payload/forms.ts';
import type { CallSource } from './call-source.ts';
import { methodStarts, methodsAreWatched } from './diagnostics.ts';
import { ActorError } from './error.ts';
import { HookTimeoutError } from './hook-time.ts';
import { HostedCall } from './hosted-call.ts';
import { HostedInput } from './hosted-input.ts';
import { type HostedActor, type HostedMethod, Instance, settled } from './instance.ts';
import { type InstanceOwner, Instances } from './instances.ts';
import { decoder, freeEncoder } from './payloads.ts';
import { encodedReport, FAILURE_LIMITS, Replies } from './replies.ts';
import { requireSent, takeCarried, takeName, takePlaces } from './sent-arguments.ts';
import { SentStream, type StreamSink } from './sent-stream.ts';
import type { ThreadLink } from './thread-link.ts';

const NOTHING = new Uint8Array(0);
const NONE = { bytes: NOTHING, length: 0 };
const ENCODED = Symbol('encoded');
const { then: promiseThen } = Promise.prototype;

export class ActorHost implements InstanceOwner {
  readonly #thread: ThreadLink;
  /** By the actor's number; undefined: the actor lives in other threads. */
  readonly #actors: (HostedActor<HostedCall> | undefined)[] = [];
  /** Instances that may begin queued calls once the turn has published. */
  readonly #ready = new Set<Instance<HostedCall>>();

  readonly #replies: Replies;
  readonly #instances: Instances;
  /** Running methods of all instances, and the number of those that have ended. */
  running = 0;
  ended = 0;

  constructor(thread: ThreadLink) {
    this.#thread = thread;
    this.#replies = new Replies(thread);
    this.#instances = new Instances(thread, this);
  }

  /**
   * Creates and starts the instances of `pool` actors, then reports them.
   * @param reached gets the name of a `start` that has not settled; empty: none
   * @throws what a constructor or a `start` throws
   */
  async open(
    actors: readonly HostedActor<HostedCall>[],
    reached: (step: string) => void = () => undefined,
  ): Promise<void> {
    for (const actor of actors) {
      if (actor.settings.kind !== 'pool') continue;
      const instance = new Instance(actor, '');
      reached(`the start() of actor ${actor.settings.name}`);
      await this.#instances.open(instance);
      reached('');
      instance.state = 'ready';
      actor.instances.set('', instance);
    }
    for (const actor of actors) {
      this.#actors[actor.index] = actor;
      const methods = [...actor.methods].map(([name, { interleaves, streams }]) => ({
        name,
        interleaves,
        streams,
      }));
      const manifest: ActorManifest = { methods };
      const encoder = freeEncoder();
      const limits = this.#thread.limitsOf(actor.index);
      // Messages of the actor may be smaller than the list of its methods.
      const maxBytes = Math.max(limits.maxBytes, FAILURE_LIMITS.maxBytes);
      encoder.encode(manifest, actor.settings.name, { ...limits, maxBytes });
      const { bytes, length } = encoder;
      this.#thread.send(bytes, length, (end, payload) => end.sendManifest(actor.index, payload, length));
    }
  }

  /**
   * Stops the instances that cannot move, which are those of `pool` actors. Errors of `stop` are reported as they
   * occur.
   */
  async stopAll(failed: (error: unknown) => void): Promise<void> {
    const stopping: Promise<void>[] = [];
    for (const actor of this.#actors) {
      for (const instance of actor?.instances.values() ?? [])
        stopping.push(this.#instances.stop(instance, failed));
    }
    await Promise.all(stopping);
  }

  // ---- from the reactor, or from another thread

  onDeliver(
    source: CallSource<HostedCall>,
    slot: number,
    generation: number,
    index: number,
    flags: number,
    deadlineMs: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const actor = this.#actors[index];
    if (actor === undefined) throw corrupt('an actor that lives in this thread', `actor ${index}`);
    const instance = actor.instances.get(key) ?? this.#instances.create(actor, key);
    const nowMs = performance.now();
    const call = new HostedCall(source, slot, generation, flags, deadlineMs, instance, nowMs);
    source.add(call);
    const mayOvertake = (flags & CallFlag.Interleaves) !== 0 && instance.state === 'ready';
    // A joining call begins when every call before it has begun, and takes no other call's place.
    const canBegin = (flags & CallFlag.Joins) === 0 ? instance.canBegin : instance.state === 'ready';
    const mayBegin = canBegin && instance.queue.head === null;
    if ((mayBegin || mayOvertake) && !this.#thread.isLateAt(nowMs)) {
      this.#begin(call, bytes, start, end, nowMs);
      return;
    }
    call.payload = shortLivedCopyOf(bytes, start, end);
    instance.queue.push(call);
    if (mayBegin || mayOvertake) this.#advanceLater(instance);
  }

  onAbort(source: CallSource<HostedCall>, slot: number, generation: number): void {
    const call = source.callOf(slot, generation);
    if (call !== null) {
      this.#giveUp(call);
      return;
    }
    const actor = source.takeCrossed(slot, generation);
    if (actor !== -1) this.#thread.counters.add(actor, ActorCounter.Dropped, 1);
  }

  /** The direct channel has closed, so nobody receives the replies to its calls. */
  onSevered(source: CallSource<HostedCall>): void {
    source.sever();
    for (const call of source.calls) if (call !== null) this.#giveUp(call);
  }

  #giveUp(call: HostedCall): void {
    if (call.state === 'queued') {
      this.#forget(call);
      // A joining call waits only for the calls before it.
      const { instance } = call;
      if (instance.queue.head !== null && (instance.queue.head.flags & CallFlag.Joins) !== 0)
        this.#advanceLater(instance);
      return;
    }
    const { actor } = call.instance;
    call.abort(
      new ActorError('SLUICE_ACTOR_ABORTED', `${actor.settings.name}: nobody waits for the reply any more`, {
        begun: 'yes',
        by: 'caller',
      }),
    );
    call.stream?.giveUp(actor.settings.streamGraceMs);
  }

  onPull(source: CallSource<HostedCall>, slot: number, generation: number, items: number): void {
    source.callOf(slot, generation)?.stream?.grant(items);
  }

  onInput(
    source: CallSource<HostedCall>,
    slot: number,
    generation: number,
    index: number,
    how: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const call = source.callOf(slot, generation);
    const input = call?.inputs?.[index];
    if (call === null || input === undefined) return;
    if (how === How.Done) {
      input.end(null);
      return;
    }
    const { actor } = call.instance;
    let value: unknown;
    try {
      value = decoder.decode(bytes, start, end, this.#thread.limitsOf(actor.index));
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message } = error;
      const text = `${actor.settings.name}: in a streamed input, ${message}`;
      input.giveUpFor(new ActorError(code, text, { begun: 'yes', by: 'caller' }));
      return;
    }
    if (how === How.Value) input.item(value);
    else input.end({ error: value });
  }

  onStop(index: number, key: string): void {
    const instance = this.#actors[index]?.instances.get(key);
    if (instance === undefined) {
      this.#sendStopped(index, key, null);
      return;
    }
    let failure: { readonly error: unknown } | null = null;
    void this.#instances
      .stop(instance, (error) => {
        failure = { error };
      })
      .then(() => this.#sendStopped(index, key, failure));
  }

  /** @param failure what the instance's `stop` has thrown; null: nothing */
  #sendStopped(index: number, key: string, failure: { readonly error: unknown } | null): void {
    const { bytes, length } = failure === null ? NONE : encodedReport(failure.error);
    this.#thread.send(bytes, length, (end, payload) => end.sendStopped(index, key, payload, length));
  }

  // ---- InstanceOwner

  onReady(instance: Instance<HostedCall>): void {
    this.#advance(instance);
  }

  onStartFailed(instance: Instance<HostedCall>, error: unknown): void {
    for (let call = instance.queue.head; call !== null; call = instance.queue.head) {
      instance.queue.remove(call);
      if (!this.#claim(call)) continue;
      if (error instanceof HookTimeoutError) this.#replies.failed(call, error.code, error.message, 'no');
      else this.#replies.thrown(call, error);
    }
  }

  // ---- calls that may begin

  #advanceLater(instance: Instance<HostedCall>): void {
    this.#ready.add(instance);
    this.#thread.requestTurn();
  }

  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** At the beginning of a turn. */
  advanceReady(): void {
    if (this.#ready.size === 0) return;
    const instances = [...this.#ready];
    this.#ready.clear();
    for (const instance of instances) this.#advance(instance);
  }

  /** Begins calls in order as far as possible. Methods that interleave may overtake. */
  #advance(instance: Instance<HostedCall>): void {
    if (instance.isAdvancing || instance.state !== 'ready') return;
    instance.isAdvancing = true;
    for (let call = instance.queue.head; call !== null; ) {
      const next: HostedCall | null = call.next;
      const joins = (call.flags & CallFlag.Joins) !== 0 && call === instance.queue.head;
      if (instance.canBegin || (call.flags & CallFlag.Interleaves) !== 0 || joins) {
        const nowMs = performance.now();
        if (this.#thread.isLateAt(nowMs)) {
          this.#advanceLater(instance);
          break;
        }
        instance.queue.remove(call);
        const payload = call.payload as Buffer;
        call.payload = null;
        this.#begin(call, payload, 0, payload.length, nowMs);
        // A method that has run to its end may have caused other calls to be removed meanwhile.
        call = instance.queue.head;
      } else {
        call = next;
      }
    }
    instance.isAdvancing = false;
  }

  // ---- calls

  #claim(call: HostedCall): boolean {
    if (call.source.claim(call)) return true;
    call.state = 'over';
    call.source.delete(call);
    return false;
  }

  /** Called when the call was taken back: another thread has it, or its caller has given it up. */
  #forget(call: HostedCall): void {
    call.state = 'over';
    call.payload = null;
    call.instance.queue.remove(call);
    call.source.delete(call);
  }

  #begin(call: HostedCall, bytes: Buffer, start: number, end: number, nowMs: number): void {
    if (!this.#claim(call)) return;
    const { actor } = call.instance;
    const { settings } = actor;
    if (call.remainingMs <= 0) {
      this.#replies.failed(
        call,
        'SLUICE_ACTOR_DEADLINE',
        `${settings.name}: its deadline passed while it waited`,
        'no',
      );
      return;
    }
    if ((call.flags & CallFlag.Joins) !== 0) {
      this.#replies.joined(call);
      return;
    }
    let args: unknown;
    let name: string;
    try {
      args = decoder.decode(bytes, start, end, this.#thread.limitsOf(actor.index));
      requireSent(args);
      name = takeName(args);
      if ((call.flags & CallFlag.Chained) !== 0) call.carriedChain = args.pop();
      if ((call.flags & CallFlag.Carries) !== 0) call.carried = takeCarried(args);
      if ((call.flags & CallFlag.Inputs) !== 0) this.#openInputs(call, args);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#replies.failed(call, error.code, `${settings.name}: ${error.message}`, 'no');
      return;
    }
    const method = actor.methods.get(name);
    if (method === undefined || (!method.interleaves && !call.instance.canBegin)) {
      const known = [...actor.methods.keys()].join(', ');
      this.#replies.failed(
        call,
        'SLUICE_ACTOR_METHOD_UNKNOWN',
        `${settings.name}: expected one of ${known}, got ${name}`,
        'no',
      );
      return;
    }
    this.#run(call, name, method, args, nowMs);
  }

  /** Puts the streams in their places among the arguments. @throws PayloadError */
  #openInputs(call: HostedCall, args: unknown[]): void {
    const places = takePlaces(args);
    const { slot, instance, source } = call;
    call.inputs = places.map((place, index) => {
      const want = (items: number) => source.send(NOTHING, 0, (end) => end.sendWant(slot, index, items));
      const input = new HostedInput(want, instance.actor.settings.streamItems);
      args[place] = input.stream;
      return input;
    });
  }

  #run(call: HostedCall, name: string, method: HostedMethod, args: unknown[], nowMs: number): void {
    call.state = 'running';
    this.running++;
    const { instance } = call;
    const { actor, key } = instance;
    call.begunAtMs = nowMs;
    const waitMs = call.begunAtMs - call.givenAtMs;
    const { counters } = this.#thread;
    counters.add(actor.index, ActorCounter.Begun, 1);
    counters.add(actor.index, ActorCounter.WaitMs, waitMs);
    instance.begun++;
    if (!method.interleaves) instance.running++;
    while (args.length < method.parameters) args.push(undefined);
    args.push(call);
    let result: unknown;
    try {
      if (methodsAreWatched())
        call.record = call.within(methodStarts, actor.settings.name, key, name, call.flags, waitMs);
      const isAsk = (call.flags & (CallFlag.Streams | CallFlag.Tell)) === 0;
      // In one scope, because entering the call's context again costs as much as encoding a small reply.
      result = call.within(
        applyTo,
        instance.object as object,
        method.run,
        args,
        isAsk ? this.#replies : null,
        call,
      );
      if ((call.flags & CallFlag.Streams) !== 0) {
        this.#stream(call, method, result);
        return;
      }
      if (result instanceof Promise) {
        // A promise with a `then` of its own may call back twice.
        promiseThen.call(
          result,
          (value: unknown) => this.#end(call, method, value),
          (error: unknown) => this.#endThrown(call, method, error),
        );
        return;
      }
    } catch (error) {
      this.#endThrown(call, method, error);
      return;
    }
    if (result !== ENCODED) {
      this.#end(call, method, result);
      return;
    }
    this.#replies.sendEncoded(call);
    this.#ended(call, method);
  }

  #stream(call: HostedCall, method: HostedMethod, result: unknown): void {
    const { settings } = call.instance.actor;
    const items: unknown = call.within(itemsOf, result);
    if (typeof items !== 'object' || items === null) {
      const message = `${settings.name}: expected the method to return a stream, and it did not`;
      this.#replies.failed(call, 'SLUICE_MESSAGE_INVALID', message, 'yes');
      this.#ended(call, method);
      return;
    }
    call.method = method;
    call.stream = new SentStream(
      this.#sinkOf(call, method),
      items as AsyncIterator<unknown>,
      settings.streamItems,
    );
    call.stream.begin();
  }

  #sinkOf(call: HostedCall, method: HostedMethod): StreamSink {
    const thread = this.#thread;
    return {
      get isLate() {
        return thread.isLate;
      },
      setTimer: (callback, afterMs) => thread.setTimer(callback, afterMs),
      clearTimer: (timer) => thread.clearTimer(timer),
      within: (run) => call.within(run),
      item: (value) => {
        call.refused = this.#replies.item(call, value);
        if (call.refused === null) return true;
        // The generator occupies its instance until it has returned, also if its reader leaves.
        this.#giveUp(call);
        return false;
      },
      end: () => {
        if (call.refused === null) this.#replies.streamEnd(call);
        else call.refused();
        this.#ended(call, method);
      },
      fail: (error) => this.#endThrown(call, method, error),
    };
  }

  #end(call: HostedCall, method: HostedMethod, value: unknown): void {
    this.#replies.value(call, value);
    this.#ended(call, method);
  }

  #endThrown(call: HostedCall, method: HostedMethod, error: unknown): void {
    this.#replies.thrown(call, error);
    this.#ended(call, method);
  }

  #ended({ instance }: HostedCall, method: HostedMethod): void {
    this.running--;
    this.ended++;
    instance.begun--;
    if (!method.interleaves) instance.running--;
    if (instance.state === 'restarting' && instance.begun === 0) {
      this.#instances.reopen(instance);
      return;
    }
    if (instance.queue.head !== null) this.#advance(instance);
  }
}

// These run within a call, because they run application code, such as an iterator or a subscriber.

/** What the method gives. @param replies takes a value that has come at once, which is `ENCODED` then; null: the value is not sent */
function applyTo(
  object: object,
  run: (...args: unknown[]) => unknown,
  args: unknown[],
  replies: Replies | null,
  call: HostedCall,
): unknown {
  const result = settled(Reflect.apply(run, object, args));
  if (replies === null || result instanceof Promise) return result;
  replies.encode(call, result);
  return ENCODED;
}

function itemsOf(result: unknown): unknown {
  return (result as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator]?.();
}
