/**
 * How many TLS handshakes are under way at once, over all listeners. One that is not finished holds tens of kilobytes, of which the peer
 * pays nothing; so beyond a number a connection waits for its handshake, unread, which holds next to nothing.
 *
 *   waiting ─▶ under way ─▶ over
 *
 * While anybody waits, the oldest handshake under way makes room once it has gone on for `graceMs`: an honest client needs a round trip or
 * two for what is left of its own. So peers that finish none cost each other their places, and nobody waits for them for long.
 *
 * Handshakes begin behind a look at all sockets (`setImmediate` comes after the poll), a few at a time. So what clients have answered
 * meanwhile has been read before anybody has to make room, however long the event loop was held up, and a crowd of signatures does not
 * hold up the connections that stand.
 */
import type { Socket } from 'node:net';
import { addressKey } from '../server/limits.ts';
import { AddressLine } from './address-line.ts';

export interface HandshakeOptions {
  /** Handshakes under way at once. */
  readonly max: number;
  /** How long one may go on, whoever waits. */
  readonly graceMs: number;
}

/** What becomes of a connection that wants a handshake. Whoever is told that it is over destroys its socket. */
export interface HandshakeTurn {
  /** Its handshake begins, until `over` is called. */
  begin(): void;
  /** It has waited for as long as it may. */
  late(): void;
  /** Its handshake makes room, since others wait. */
  giveWay(): void;
}

interface Waiting {
  readonly socket: Socket;
  readonly turn: HandshakeTurn;
  readonly untilMs: number;
}

interface UnderWay {
  readonly turn: HandshakeTurn;
  readonly sinceMs: number;
}

/** Handshakes that begin between two looks at all the other sockets. Each costs the reactor a signature, half a millisecond or so. */
const HANDSHAKES_AT_ONCE = 8;
/** How often those who wait are looked at, when nothing else happens. */
const LOOK_MS = 100;

export class Handshakes {
  /** May be replaced: handshakes under way go on. */
  options: HandshakeOptions;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #underWay = new Map<Socket, UnderWay>();
  readonly #line = new AddressLine<Waiting>();
  #isTurnDue = false;
  /** Runs while anybody waits. */
  #timer: NodeJS.Timeout | null = null;

  /** @param now monotonic, in milliseconds */
  constructor(options: HandshakeOptions, now: () => number = () => performance.now()) {
    this.options = options;
    this.#now = now;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * @param socket paused, until its turn begins
   * @param address of the client, for turns among those who wait
   * @param timeoutMs how long it may wait
   */
  add(socket: Socket, address: string, timeoutMs: number, turn: HandshakeTurn): void {
    this.#line.add(addressKey(address), { socket, turn, untilMs: this.#now() + timeoutMs });
    this.#expectTurn();
  }

  /** Done, or failed. False: it was not under way, or has been told to make room. */
  over(socket: Socket): boolean {
    if (!this.#underWay.delete(socket)) return false;
    if (this.#line.size > 0) this.#expectTurn();
    return true;
  }

  /** Ends the wait of those who are late or gone, and lets others begin. */
  look(): void {
    const now = this.#now();
    this.#line.remove(({ socket, turn, untilMs }) => {
      if (socket.destroyed) return true;
      if (now < untilMs) return false;
      turn.late();
      return true;
    });
    this.#expectTurn();
  }

  /** Sends everybody away who waits. Handshakes under way are their listeners'. */
  close(): void {
    this.#line.remove(({ socket }) => {
      socket.destroy();
      return true;
    });
    this.#stopLooking();
  }

  #expectTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnDue = false;
    for (let begun = 0; this.#line.size > 0 && this.#hasRoom(); ) {
      if (begun === HANDSHAKES_AT_ONCE) {
        this.#expectTurn();
        break;
      }
      const { socket, turn } = this.#line.take() as Waiting;
      if (socket.destroyed) continue;
      begun++;
      this.#underWay.set(socket, { turn, sinceMs: this.#now() });
      turn.begin();
    }
    if (this.#line.size === 0) this.#stopLooking();
    else this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** For one more; the oldest may have to make it. */
  #hasRoom(): boolean {
    if (this.#underWay.size < this.options.max) return true;
    for (const [socket, { turn, sinceMs }] of this.#underWay) {
      if (this.#now() - sinceMs < this.options.graceMs) return false;
      this.#underWay.delete(socket);
      turn.giveWay();
      return true;
    }
    return false;
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
