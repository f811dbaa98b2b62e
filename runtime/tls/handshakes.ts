/**
 * Limits how many TLS handshakes run at once, over all listeners. An unfinished handshake holds tens of kilobytes, which
 * cost the peer nothing. So beyond a number of handshakes a connection waits for its own, unread, which holds next to
 * nothing.
 *
 *   waiting ─▶ running ─▶ over
 *
 * While any connection waits, the oldest running handshake gives way once it has run for `graceMs`: an honest client needs a round trip or
 * two for the rest of its own. Peers that never finish therefore only displace each other, and other clients do not wait long for them.
 *
 * Handshakes begin after the event loop has polled all sockets (`setImmediate` comes after the poll), a few at a time.
 * So everything that clients have sent in the meantime is read before a handshake must give way, however long the event
 * loop was held up, and a crowd of signatures does not hold up existing connections.
 */
import type { Socket } from 'node:net';
import { addressKey } from '../server/limits.ts';
import { AddressLine } from './address-line.ts';

export interface HandshakeOptions {
  /** Handshakes that may run at once. */
  readonly max: number;
  /** How long a handshake may run while others wait. */
  readonly graceMs: number;
}

/**
 * What happens to a connection that needs a handshake. The callee that learns that it is over destroys the
 * socket.
 */
export interface HandshakeTurn {
  /** The handshake begins, and runs until `over` is called. */
  begin(): void;
  /** The connection has waited as long as it may. */
  late(): void;
  /** The handshake gives way, because others wait. */
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

/**
 * Handshakes that begin between two polls of the other sockets. Each costs the reactor a signature, about
 * half a millisecond.
 */
const HANDSHAKES_AT_ONCE = 8;
/** How often waiting connections are checked if nothing else happens. */
const LOOK_MS = 100;

export class Handshakes {
  /** May be replaced; running handshakes continue. */
  options: HandshakeOptions;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #underWay = new Map<Socket, UnderWay>();
  readonly #line = new AddressLine<Waiting>();
  #isTurnDue = false;
  /** Runs while any connection waits. */
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
   * @param address of the client, for the turns of those who wait
   * @param timeoutMs how long it may wait
   */
  add(socket: Socket, address: string, timeoutMs: number, turn: HandshakeTurn): void {
    this.#line.add(addressKey(address), { socket, turn, untilMs: this.#now() + timeoutMs });
    this.#expectTurn();
  }

  /** The handshake has succeeded or failed. Returns false if it was not running, or was told to give way. */
  over(socket: Socket): boolean {
    if (!this.#underWay.delete(socket)) return false;
    if (this.#line.size > 0) this.#expectTurn();
    return true;
  }

  /** Ends the wait of connections that are late or gone, and lets other handshakes begin. */
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

  /** Ends the wait of all connections. Running handshakes belong to their listeners. */
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

  /** Whether there is room for one more; the oldest may have to give way. */
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
