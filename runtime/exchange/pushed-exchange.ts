/**
 * The response to a promised request (RFC 9113 section 8.4): an exchange that its thread has begun by asking for it. It
 * never waits in a queue and never moves to another thread. PROMISED, which gives the thread its slot, goes before
 * anything else on it.
 */
import { Exchange, type Transport } from './exchange.ts';

export class PushedExchange extends Exchange {
  readonly #parentSlot: number;
  readonly #number: number;
  #promised = false;

  /** @param number by which the thread knows the push until it has a slot. */
  constructor(
    transport: Transport,
    stream: unknown,
    parent: Exchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ) {
    super(
      transport,
      stream,
      parent.destination,
      method,
      parent.scheme,
      parent.authority,
      path,
      parent.version,
      parent.remoteAddress,
      parent.remotePort,
      fields,
      true,
      parent.tls,
    );
    this.#parentSlot = parent.slot;
    this.#number = number;
    this.requestId = parent.requestId;
  }

  override onWritable(): boolean {
    const { thread } = this;
    if (thread !== null && !this.#promised) {
      if (!thread.channel.sendPromised(this.#parentSlot, this.#number, true, this.slot)) {
        thread.waitForRoom(this);
        return false;
      }
      this.#promised = true;
    }
    return super.onWritable();
  }
}
