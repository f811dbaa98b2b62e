/** Sends messages over one end of a channel, and keeps those that meet a full ring, in order. Each belongs to a call or an instance, so their number is bounded. */
import { copyOf } from '../../wire/bytes.ts';
import type { ChannelEnd } from '../../wire/end.ts';

const NOTHING = new Uint8Array(0);

export class Outbox<E extends ChannelEnd> {
  readonly end: E;
  readonly #onSaid: () => void;
  readonly #unsent: (() => boolean)[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param onSaid something is to be published @param maxBytes of payloads that wait, where whoever sends asks for it */
  constructor(end: E, onSaid: () => void, maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
    this.end = end;
    this.#onSaid = onSaid;
  }

  /** Whether a message may be sent past the outbox, by whoever says so with `said`: nothing waits before it. */
  get isClear(): boolean {
    return this.#unsent.length === 0;
  }

  /** A message was sent past it. */
  said(): void {
    this.#onSaid();
  }

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#unsent.length;
  }

  get isOpen(): boolean {
    return this.end.state !== 'closed' && this.end.state !== 'corrupt';
  }

  /** Sends a message, now or when there is room. The payload is copied if it has to wait. */
  send(bytes: Uint8Array, length: number, send: (end: E, payload: Uint8Array) => boolean): void {
    if (this.#unsent.length > 0 || !send(this.end, bytes)) {
      if (!this.isOpen) return;
      const payload = length === 0 ? NOTHING : copyOf(bytes, 0, length);
      this.#bytes += length;
      this.#unsent.push(() => {
        if (!send(this.end, payload)) return false;
        this.#bytes -= length;
        return true;
      });
    }
    // Also what waits needs it: only what is published makes room.
    this.#onSaid();
  }

  /** A payload of so many bytes would be more than may wait. */
  isFullFor(length: number): boolean {
    return this.#unsent.length > 0 && this.#bytes + length > this.#maxBytes;
  }

  /** Sends a message if there is room for it and nothing else waits. */
  trySend(send: (end: E) => boolean): boolean {
    const isSent = this.#unsent.length === 0 && send(this.end);
    this.#onSaid();
    return isSent;
  }

  /** There is room again. True: nothing waits any more. */
  flush(): boolean {
    while (this.#unsent.length > 0 && (this.#unsent[0] as () => boolean)()) this.#unsent.shift();
    return this.#unsent.length === 0;
  }
}
