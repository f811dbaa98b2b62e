/** Encodes and sends the reply to a call: a value, what the method threw, or the reason why the method was not called. */
import { performance } from 'node:perf_hooks';
import { types } from 'node:util';
import { ActorCounter } from '../../wire/actors/counters.ts';
import { CallFlag, type Failure, How } from '../../wire/actors/messages.ts';
import { DEFAULT_MAX_ERROR_CHARS, describeError } from '../../wire/error-report.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';
import { PayloadError, type PayloadLimits, UNDEFINED } from '../../wire/payload/forms.ts';
import { bufferOf, bytesOfView } from '../../wire/payload/slots.ts';
import { HEAD_BYTES } from '../../wire/payload/writer.ts';
import { methodEnds } from './diagnostics.ts';
import { ActorError, type ActorErrorCode } from './error.ts';
import type { HostedCall } from './hosted-call.ts';
import { freeEncoder } from './payloads.ts';
import type { ThreadLink } from './thread-link.ts';

const NOTHING = new Uint8Array(0);
/** For a byte array of at least this size, avoiding a copy costs less than making it. */
const LARGE_BYTES = 4_096;
/** Limits of a failure that the runtime reports. It fits into the smallest ring, whose longest message has nearly 32 KiB. */
export const FAILURE_LIMITS: PayloadLimits = {
  maxBytes: 24_576,
  maxDepth: 16,
  maxReferences: 16,
  maxErrorChars: DEFAULT_MAX_ERROR_CHARS,
};

/** A text of this many characters fits into `FAILURE_LIMITS` in any encoding. */
const MOST_MESSAGE_CHARS = 8_000;

const NOT_READ = encoded({
  code: 'SLUICE_ACTOR_OVERLOADED',
  message: 'the reply was dropped: this thread has not read the ones before it',
  begun: 'yes',
});

function encoded(failure: Failure): Uint8Array {
  const encoder = new PayloadEncoder();
  encoder.encode(failure, 'failure', FAILURE_LIMITS);
  return encoder.bytes.subarray(0, encoder.length);
}

/**
 * Encodes an error for the log. If the error exceeds `FAILURE_LIMITS`, its name and the beginning of its message are encoded instead. The
 * caller must send the result before anything else is encoded.
 */
export function encodedReport(error: unknown): PayloadEncoder {
  const encoder = freeEncoder();
  try {
    encoder.encodeThrown(error, FAILURE_LIMITS);
  } catch (refused) {
    if (!(refused instanceof PayloadError)) throw refused;
    const { name, message } = describeError(error, MOST_MESSAGE_CHARS / 4);
    const shorter = Object.assign(new Error(`${message} (${refused.message})`), { name });
    encoder.encodeThrown(shorter, FAILURE_LIMITS);
  }
  return encoder;
}

/** Sends the reason why an item of a stream cannot be sent, as the reply. */
type Refused = () => void;

export class Replies {
  readonly #thread: ThreadLink;
  /** Holds what `encode` has encoded last and `sendEncoded` has not sent. */
  #encoded: PayloadEncoder = freeEncoder();
  /** Why that cannot be a reply; null: it can. */
  #refusal: PayloadError | null = null;

  constructor(thread: ThreadLink) {
    this.#thread = thread;
  }

  value(call: HostedCall, value: unknown): void {
    if ((call.flags & CallFlag.Tell) !== 0) {
      this.#reply(call, How.Value, NOTHING, 0);
      return;
    }
    call.within(encodeResult, this, call, value);
    this.sendEncoded(call);
  }

  /** Encodes what a method has returned, in the call's context, because getters of the value are application code. */
  encode(call: HostedCall, value: unknown): void {
    const encoder = freeEncoder();
    this.#refusal = null;
    try {
      encoder.encode(value, 'result', this.#thread.limitsOf(call.instance.actor.index));
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#refusal = error;
    }
    hold(encoder);
    this.#encoded = encoder;
  }

  /** Replies with what has just been encoded. */
  sendEncoded(call: HostedCall): void {
    const refusal = this.#refusal;
    const { bytes, length } = this.#encoded;
    letGo(this.#encoded);
    if (refusal === null) this.#reply(call, How.Value, bytes, length);
    else this.failed(call, refusal.code, `${call.instance.actor.settings.name}: ${refusal.message}`, 'yes');
  }

  thrown(call: HostedCall, thrown: unknown): void {
    const encoder = freeEncoder();
    const { index, settings } = call.instance.actor;
    const limits = this.#thread.limitsOf(index);
    try {
      try {
        call.within(encodeThrown, encoder, thrown, limits);
      } catch (error) {
        if (error instanceof PayloadError) throw error;
        letGo(encoder);
        // A store that came with the call cannot be entered, so the call fails with that error.
        encoder.encodeThrown(error, limits);
      }
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { name, message } = describeError(thrown, MOST_MESSAGE_CHARS / 4);
      const text = `${settings.name}: it threw ${name}: ${message}, and ${error.message}`;
      this.failed(call, error.code, text, 'yes');
      return;
    }
    letGo(encoder);
    this.#reply(call, How.Threw, encoder.bytes, encoder.length);
  }

  failed(call: HostedCall, code: string, message: string, begun: 'no' | 'yes'): void {
    const encoder = freeEncoder();
    // The name comes from the caller and may be anything.
    const cut = message.slice(0, MOST_MESSAGE_CHARS);
    encoder.encode({ code: code as ActorErrorCode, message: cut, begun }, 'failure', FAILURE_LIMITS);
    this.#reply(call, How.Failed, encoder.bytes, encoder.length);
  }

  /** The error of a method that still reads an input when the reply to its call was sent. */
  #overError({ instance }: HostedCall): ActorError {
    const message = `${instance.actor.settings.name}: the call that the input belongs to is over`;
    return new ActorError('SLUICE_ACTOR_ABORTED', message, { begun: 'yes', by: 'actor' });
  }

  /** @returns how long it ran */
  #count(call: HostedCall, how: How): number {
    const { actor } = call.instance;
    const { counters } = this.#thread;
    const runMs = performance.now() - call.begunAtMs;
    counters.add(actor.index, ActorCounter.Ended, 1);
    counters.add(actor.index, ActorCounter.RunMs, runMs);
    if (how !== How.Value) counters.add(actor.index, ActorCounter.Failed, 1);
    this.#countDropped(call);
    return runMs;
  }

  /** True if no caller waits: the call is a tell, or the reader of its stream has left. */
  #countDropped(call: HostedCall): void {
    if ((call.flags & (CallFlag.Tell | CallFlag.Streams)) !== 0) return;
    const { index } = call.instance.actor;
    if (call.aborted === null) call.source.noteReply(call, index);
    else this.#thread.counters.add(index, ActorCounter.Dropped, 1);
  }

  #reply(call: HostedCall, how: How, bytes: Uint8Array, length: number): void {
    const { slot, source } = call;
    const runMs = call.state === 'running' ? this.#count(call, how) : 0;
    call.state = 'over';
    if (call.inputs !== null) call.endInputs(this.#overError(call));
    if (source.outbox.isFullFor(length)) source.reply(slot, How.Failed, NOT_READ, NOT_READ.length);
    else source.reply(slot, how, bytes, length);
    source.delete(call);
    // A subscriber may make calls, and their arguments are encoded into the memory that held the reply.
    if (call.record !== null) call.within(methodEnds, call.record, runMs, how !== How.Value);
  }

  /** Every call that this thread received before this one has begun. */
  joined(call: HostedCall): void {
    this.#reply(call, How.Value, NOTHING, 0);
  }

  #bytesItem(call: HostedCall, value: Uint8Array): Refused | null {
    const { byteLength: length } = value;
    if (call.source.outbox.isFullFor(length)) return () => this.#notRead(call);
    const { slot } = call;
    call.source.send(value, length, (end, payload) => end.sendBytesItem(slot, payload, length));
    return null;
  }

  #notRead(call: HostedCall): void {
    this.#reply(call, How.Failed, NOT_READ, NOT_READ.length);
  }

  /** The stream has ended. */
  streamEnd(call: HostedCall): void {
    this.#reply(call, How.Value, UNDEFINED, UNDEFINED.length);
  }

  /** @returns null if the item was sent; otherwise the stream must end, and calling the result sends the reason */
  item(call: HostedCall, value: unknown): Refused | null {
    const { index, settings } = call.instance.actor;
    const bytesOnly = largeBytesIn(value, this.#thread.limitsOf(index).maxBytes);
    if (bytesOnly !== null) return this.#bytesItem(call, bytesOnly);
    const encoder = freeEncoder();
    try {
      call.within(encode, encoder, value, 'item', this.#thread.limitsOf(index));
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message } = error;
      return () => this.failed(call, code, `${settings.name}: ${message}`, 'yes');
    }
    letGo(encoder);
    const { slot } = call;
    const { bytes, length } = encoder;
    if (call.source.outbox.isFullFor(length)) return () => this.#notRead(call);
    call.source.send(bytes, length, (end, payload) => end.sendItem(slot, payload, length));
    return null;
  }
}

/**
 * Returns a view of a byte array that is long enough for a saved copy to matter; null for any other value. The view is new, because an
 * application may have replaced the properties of the given one.
 */
function largeBytesIn(value: unknown, maxBytes: number): Uint8Array | null {
  if (!types.isUint8Array(value) || types.isSharedArrayBuffer(bufferOf(value))) return null;
  const bytes = bytesOfView(value);
  if (bytes === null || bytes.length < LARGE_BYTES || bytes.length + HEAD_BYTES > maxBytes) return null;
  return bytes;
}

// These run within a call, because they run application code, such as a getter.

function encode(encoder: PayloadEncoder, value: unknown, what: string, limits: PayloadLimits): void {
  encoder.encode(value, what, limits);
  hold(encoder);
}

function encodeResult(replies: Replies, call: HostedCall, value: unknown): void {
  replies.encode(call, value);
}

function encodeThrown(encoder: PayloadEncoder, thrown: unknown, limits: PayloadLimits): void {
  encoder.encodeThrown(thrown, limits);
  hold(encoder);
}

// A store's `run` may continue after its callback and make calls. Their arguments must not overwrite the encoded reply.

function hold(encoder: PayloadEncoder): void {
  encoder.isBusy = true;
}

function letGo(encoder: PayloadEncoder): void {
  encoder.isBusy = false;
}
