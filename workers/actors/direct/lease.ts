/**
 * One conversation over a direct channel, on the caller's side. It limits how many messages and bytes are in flight.
 * When the conversation ends, it reports the calls that are still open to the reactor, which keeps room for them in
 * the mailbox.
 */

/** Reports the progress of the conversation to the reactor. */
export type TellBack = (
  conversation: number,
  messages: number,
  bytes: number,
  made: number,
  idleMs: number,
) => void;

export class Lease {
  /** The reactor's number for it. */
  readonly number: number;
  /** How many more messages and bytes may be in flight. */
  messages: number;
  bytes: number;
  openMessages = 0;
  openBytes = 0;
  /** Calls since the start. */
  made = 0;
  #told = 0;
  #state: 'open' | 'left' | 'over' = 'open';
  readonly #tellBack: TellBack;
  readonly #nowMs: () => number;
  /** When it last had a call. */
  #usedMs: number;

  constructor(number: number, messages: number, bytes: number, tellBack: TellBack, nowMs: () => number) {
    this.number = number;
    this.messages = messages;
    this.bytes = bytes;
    this.#tellBack = tellBack;
    this.#nowMs = nowMs;
    this.#usedMs = nowMs();
  }

  hasRoomFor(bytes: number): boolean {
    return this.messages > 0 && this.bytes >= bytes;
  }

  take(bytes: number): void {
    this.messages--;
    this.bytes -= bytes;
    this.openMessages++;
    this.openBytes += bytes;
    this.made++;
  }

  giveBack(bytes: number): void {
    this.#usedMs = this.#nowMs();
    this.messages++;
    this.bytes += bytes;
    this.openMessages--;
    this.openBytes -= bytes;
    if (this.#state === 'left' && this.openMessages === 0) this.#tell();
  }

  /** A call that was taken back before it began goes over another channel. */
  withdraw(bytes: number): void {
    this.giveBack(bytes);
    this.made--;
  }

  /** A call that was taken back before it began returns to the reactor, with its room. */
  moved(bytes: number): void {
    this.openMessages--;
    this.openBytes -= bytes;
    this.made--;
  }

  /** From now on calls go through the reactor. */
  leave(): void {
    if (this.#state !== 'open') return;
    this.#state = 'left';
    this.#tell();
  }

  #tell(): void {
    const { number, openMessages, openBytes, made } = this;
    if (openMessages === 0) this.#state = 'over';
    const since = made - this.#told;
    this.#told = made;
    const idleMs = openMessages > 0 ? 0 : Math.max(0, Math.round(this.#nowMs() - this.#usedMs));
    this.#tellBack(number, openMessages, openBytes, since, idleMs);
  }
}
