/**
 * Messages of an exchange that could not be sent at once, in order. Each waits for room in the ring or, if it
 * is content, for credit. The credit is kept here, too, because content that needs any goes this way.
 *
 * Most exchanges never have a queue: a whole response goes in one message with its head, and nothing that
 * follows could need credit. `pump` sends what it can, whenever credit comes or the ring has room again.
 */
import { Flag } from '../../wire/messages.ts';
import { HostError } from './errors.ts';
import type { Outlet } from './outlet.ts';
import type { PendingPush } from './pushes.ts';
import { refuse } from './refusals.ts';

/** Messages that may wait for the ring or for credit. An application that never waits reaches this limit. */
export const MAX_QUEUED_MESSAGES = 1024;

export type MessageKind = 'head' | 'inform' | 'data' | 'trailers' | 'push' | 'pad';

/** The exchange whose messages these are. */
export interface Sender {
  /** Flags of HEAD. @param end the message is the whole response */
  headFlags(end: boolean): number;
  /** Flags of a message that ends the response: they say whether it is the last on the slot. */
  endFlags(): number;
  /** A push that somebody still waits for. */
  pendingPush(number: number): PendingPush | undefined;
  /** The message that ends the response has been sent. */
  onResponseSent(): void;
}

interface Message {
  readonly kind: MessageKind;
  /** Of a push its number, of a pad the number that is padded to a multiple of. */
  readonly status: number;
  readonly fields: readonly string[] | null;
  readonly bytes: Uint8Array | null;
  /** How many bytes there were when it was queued: memory that is transferred or shrinks loses bytes. */
  readonly length: number;
  offset: number;
  readonly end: boolean;
  /** The `write` that waits for it. */
  readonly written: PromiseWithResolvers<void> | null;
}

export class ResponseQueue<Exchange extends Sender> {
  readonly #sender: Exchange;
  readonly #outlet: Outlet<Exchange>;
  #messages: Message[] = [];
  /** Content that waits. */
  #bytes = 0;
  #credit: number;
  #isStalled = false;

  constructor(sender: Exchange, outlet: Outlet<Exchange>) {
    this.#sender = sender;
    this.#outlet = outlet;
    this.#credit = outlet.options.responseWindowBytes;
  }

  get length(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Content that may still be sent. */
  get credit(): number {
    return this.#credit;
  }

  /** The next message waits for room in the ring alone. */
  get isUnsent(): boolean {
    const next = this.#messages[0];
    if (next === undefined) return false;
    return next.kind !== 'data' || this.#credit > 0 || next.bytes?.length === 0;
  }

  /**
   * Sends the message if it can, and keeps it if not.
   * @throws whatever sending throws: the exchange is to fail
   */
  add(
    kind: MessageKind,
    status: number,
    fields: readonly string[] | null,
    bytes: Uint8Array | null,
    end: boolean,
    written: PromiseWithResolvers<void> | null,
  ): void {
    const length = bytes === null ? 0 : bytes.length;
    this.#messages.push({ kind, status, fields, bytes, length, offset: 0, end, written });
    if (kind === 'data') this.#bytes += length;
    if (this.#messages.length === 1) this.pump();
  }

  /**
   * Sends content in one message, without an object for it.
   * @returns false: it would have to wait, and nothing was sent
   */
  tryData(bytes: Uint8Array): boolean {
    const { length } = bytes;
    if (this.#messages.length > 0 || length === 0) return false;
    if (length > this.#credit || length > this.#outlet.maxDataBytes) return false;
    if (!this.#outlet.sendData(this.#sender, 0, bytes, 0, length)) return false;
    this.#credit -= length;
    return true;
  }

  grant(bytes: number): void {
    this.#credit += bytes;
    this.#endStall();
    this.pump();
  }

  /**
   * Sends what the ring's room and the credit allow.
   * @throws HostError `SLUICE_VALUE_INVALID` if bytes that wait are gone: the exchange is to fail
   */
  pump(): void {
    while (this.#messages.length > 0) {
      const message = this.#messages[0] as Message;
      const { bytes, length, end } = message;
      if (bytes !== null && bytes.length !== length) throw bytesGone(bytes, length);
      if (!this.#send(message)) return;
      this.#messages.shift();
      message.written?.resolve();
      if (end) this.#sender.onResponseSent();
    }
  }

  #send(message: Message): boolean {
    const { kind, status, fields, bytes, end } = message;
    switch (kind) {
      case 'head': {
        // Content that goes with the head is all content of the response, so nothing needs the credit any
        // more.
        const body = bytes !== null && bytes.length > 0 ? bytes : null;
        const flags = this.#sender.headFlags(end);
        return this.#outlet.sendHead(this.#sender, flags, status, fields ?? [], body);
      }
      case 'push': {
        const push = this.#sender.pendingPush(status);
        // Nobody waits for it any more.
        if (push === undefined) return true;
        return this.#outlet.sendPush(this.#sender, status, push.method, push.path, push.fields);
      }
      case 'pad':
        return this.#outlet.sendPad(this.#sender, status);
      case 'inform':
        return this.#outlet.sendInform(this.#sender, status, fields ?? []);
      case 'trailers':
        return this.#outlet.sendTrailers(this.#sender, this.#sender.endFlags() & Flag.Final, fields ?? []);
      case 'data':
        return this.#sendData(message);
    }
  }

  #sendData(message: Message): boolean {
    const bytes = message.bytes as Uint8Array;
    const endFlags = message.end ? this.#sender.endFlags() : 0;
    if (bytes.length === 0) return this.#outlet.sendData(this.#sender, endFlags, bytes, 0, 0);
    while (message.offset < bytes.length) {
      if (this.#credit <= 0) {
        this.#beginStall();
        return false;
      }
      const most = Math.min(this.#credit, this.#outlet.maxDataBytes);
      const end = Math.min(bytes.length, message.offset + most);
      const flags = end === bytes.length ? endFlags : 0;
      if (!this.#outlet.sendData(this.#sender, flags, bytes, message.offset, end)) return false;
      const sent = end - message.offset;
      message.offset = end;
      this.#credit -= sent;
      this.#bytes -= sent;
    }
    return true;
  }

  #beginStall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#outlet.stalled(this.#sender);
  }

  #endStall(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#outlet.unstalled(this.#sender);
  }

  /** The response is cut: nothing waits for credit any more. Called before the FINAL message. */
  stop(): void {
    this.#endStall();
  }

  /**
   * The exchange is over. What waits is dropped, and its writers get the error.
   * @param error null: nothing was lost
   */
  drop(error: HostError | null): void {
    const dropped = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    if (error === null) return;
    for (const { written } of dropped) if (written !== null) refuse(written, error);
  }
}

/** The memory was transferred or resized. A body with a hole must not look whole. */
function bytesGone(bytes: Uint8Array, length: number): HostError {
  return new HostError(
    'SLUICE_VALUE_INVALID',
    `expected bytes to stay as they are until they have been sent, got ${bytes.length} where ${length} were given`,
  );
}
