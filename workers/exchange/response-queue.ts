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
  /** The pending push with this number; undefined if the application no longer waits for it. */
  pendingPush(number: number): PendingPush | undefined;
  /** The message that ends the response has been sent. */
  onResponseSent(): void;
}

interface Message {
  readonly kind: MessageKind;
  /** The status of a head; for a push its number, for a pad the number of bytes to pad to a multiple of. */
  readonly status: number;
  readonly fields: readonly string[] | null;
  readonly bytes: Uint8Array | null;
  /** The number of bytes when the message was queued. It changes if the memory is transferred or shrinks. */
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
  /** Bytes of content that wait. */
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

  /** Bytes of content that may still be sent. */
  get credit(): number {
    return this.#credit;
  }

  /** True if the next message waits only for room in the ring, and not for credit. */
  get isUnsent(): boolean {
    const next = this.#messages[0];
    if (next === undefined) return false;
    return next.kind !== 'data' || this.#credit > 0 || next.bytes?.length === 0;
  }

  /**
   * Sends the message if it can, and keeps it if not.
   * @throws whatever sending throws; the exchange must then fail
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
   * @throws HostError `SLUICE_VALUE_INVALID` if waiting bytes are gone; the exchange must then fail
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
        // If content is sent with the head, it is all of the response's content, so the credit is no longer
        // needed.
        const body = bytes !== null && bytes.length > 0 ? bytes : null;
        const flags = this.#sender.headFlags(end);
        return this.#outlet.sendHead(this.#sender, flags, status, fields ?? [], body);
      }
      case 'push': {
        const push = this.#sender.pendingPush(status);
        // The application no longer waits for this push.
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

  /** Called before the FINAL message of a cut response: nothing waits for credit any more. */
  stop(): void {
    this.#endStall();
  }

  /**
   * Called when the exchange is over. Drops the waiting messages, and passes the error to the writes that
   * wait for them.
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

/** The memory was transferred or resized. A body with a hole must not look complete. */
function bytesGone(bytes: Uint8Array, length: number): HostError {
  return new HostError(
    'SLUICE_VALUE_INVALID',
    `expected bytes to stay as they are until they have been sent, got ${bytes.length} where ${length} were given`,
  );
}
