/**
 * The reactor's turns that move the messages of actors. They are apart from the turns of exchanges and use rings of their own: a server
 * without actors runs none of them, and exchanges never wait for them.
 */
import type { ActorLink } from './link.ts';

/** Messages taken from one thread in one turn, and bytes. */
const RECEIVE_LIMIT = 512;
const RECEIVE_LIMIT_BYTES = 524_288;
/** Turns that brought nothing before the reactor sleeps. */
const POLLS_BEFORE_SLEEP = 16;

export class ActorTurns {
  readonly #links: ActorLink[] = [];
  readonly now: () => number;
  nowMs: number;
  /** Messages since the start. */
  received = 0;
  #polls = 0;
  #pollsBeforeSleep = POLLS_BEFORE_SLEEP;
  #receivedBefore = 0;
  #state: 'awake' | 'asleep' = 'asleep';
  readonly #turn = (): void => this.#runTurn();

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.nowMs = now();
  }

  /** Outside of a turn. */
  readClock(): void {
    this.nowMs = this.now();
  }

  get isAsleep(): boolean {
    return this.#state === 'asleep';
  }

  add(link: ActorLink): void {
    this.#links.push(link);
    this.request();
  }

  remove(link: ActorLink): void {
    const index = this.#links.indexOf(link);
    if (index !== -1) this.#links.splice(index, 1);
  }

  request(): void {
    this.#polls = 0;
    if (this.#state === 'awake') return;
    this.#state = 'awake';
    setImmediate(this.#turn);
  }

  /** Called by a doorbell: the turn runs in its handler. */
  wake(): void {
    if (this.#state === 'awake') return;
    this.#state = 'awake';
    this.#runTurn();
  }

  #runTurn(): void {
    this.nowMs = this.now();
    const links = this.#links;
    let received = 0;
    // From the end: a thread that turns out corrupt is removed while we walk.
    for (let i = links.length - 1; i >= 0; i--) {
      const link = links[i];
      if (link === undefined) continue;
      link.end.publish();
      received += link.end.receive(RECEIVE_LIMIT, RECEIVE_LIMIT_BYTES);
    }
    for (let i = 0; i < links.length; i++) {
      const link = links[i] as ActorLink;
      link.relieve();
      link.end.publish();
    }
    this.received += received;
    if (received > 0) {
      // A single call or reply: polling would take the processor from the thread that computes the reply or waits for it.
      this.#pollsBeforeSleep = received + this.#receivedBefore <= 2 ? 0 : POLLS_BEFORE_SLEEP;
      this.#polls = 0;
    } else {
      this.#polls++;
    }
    this.#receivedBefore = received;
    if (this.#polls >= this.#pollsBeforeSleep && this.#sleep()) return;
    setImmediate(this.#turn);
  }

  /** False when a thread has published meanwhile. */
  #sleep(): boolean {
    for (const { end } of this.#links) if (!end.sleep() && end.state === 'awake') return false;
    this.#state = 'asleep';
    return true;
  }
}
