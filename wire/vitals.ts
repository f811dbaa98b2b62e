/**
 * What a thread reports about itself in shared memory. The reactor can read it at any time, even while the thread computes.
 *
 *   word   0   thread id           Node's, once the thread runs
 *          1   turn                when its loop last began a turn
 *          2   collections         number of garbage collections
 *          3   within              1 + the slot whose application code the host has called and that has not returned; 0: none
 *          4   collecting          milliseconds spent in garbage collection, as a 64-bit float
 *          6   OS thread id        the system's number of the thread, or 0
 *          8   heap                bytes of its heap in use, as a 64-bit float, as are the next two
 *         10   live heap           the same after the last large collection; 0: there was none
 *         12   external            bytes outside the heap that its objects hold, Buffers above all
 *         14   unendable           1: V8 cannot end the thread where it is without ending the process (workers/loading/evaluation.ts)
 *         15   ... padding
 *         16   held back           1: the reactor has work that the thread should ask for when it has nothing to do
 *         17   ... padding
 *         24   loop delay          milliseconds that its last timer was late, as a 64-bit float; one timer runs each second
 *         26   ... padding
 *         32   slots               eight words each:
 *                begun             when the thread claimed the slot's exchange
 *                stalls            how often the exchange had something to send and no credit for it
 *                stalled           microseconds that it waited for credit, in all stalls that are over
 *                stalled since     when the current stall began, or 0
 *                computed          microseconds from its beginning until the thread began the next exchange or its loop came
 *                                  around, less the time that the thread waited for a core; 0: neither has happened, so the
 *                                  thread has computed since then
 *                given             when the reactor gave the thread the slot's exchange, if the thread records spans
 *                followed          1: the thread also wants to know when the exchange is over for its peer
 *                arriving          when the first octets of the request's head arrived, if the thread records spans; 0: the
 *                                  whole head arrived at once
 *
 * Times are `clockMicroseconds`, as 32-bit words that wrap. The thread writes all words except `held back`, `given` and
 * `arriving`, which the reactor writes. Each word is written separately and without a barrier, so a reader sees a value that
 * is at most a moment old. The words of an exchange are written before the message that ends it is published. `computed` is
 * the exception: it may come later.
 *
 * A stall of more than half a wrap, 35 minutes, is not counted.
 *
 * The words serve metrics and the detection of hung threads. A faulty thread may write anything here; that harms only its
 * own exchanges.
 */

const THREAD_ID = 0;
const TURN = 1;
const COLLECTIONS = 2;
const WITHIN = 3;
/** Index of a Float64Array. */
const COLLECTING = 2;
const OS_THREAD_ID = 6;
const UNENDABLE = 14;
const HELD_BACK = 16;
/** Indexes of the Float64Array, as is COLLECTING. */
const HEAP = 4;
const LIVE_HEAP = 5;
const EXTERNAL = 6;
const LOOP_DELAY = 12;
const SLOTS = 32;
const WORDS_PER_SLOT = 8;
const STALLS = 1;
const STALLED = 2;
const STALLED_SINCE = 3;
const COMPUTED = 4;
const GIVEN = 5;
const FOLLOWED = 6;
const ARRIVING = 7;

export function allocateVitals(slots: number): SharedArrayBuffer {
  return new SharedArrayBuffer((SLOTS + slots * WORDS_PER_SLOT) * Int32Array.BYTES_PER_ELEMENT);
}

export class Vitals {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory, 0, SLOTS / 2);
  }

  // ---- for the thread

  identify(threadId: number, osThreadId = 0): void {
    this.#words[OS_THREAD_ID] = osThreadId;
    this.#words[THREAD_ID] = threadId;
  }

  /** Says whether code is running in which V8 cannot end the thread. */
  setUnendable(isUnendable: boolean): void {
    Atomics.store(this.#words, UNENDABLE, isUnendable ? 1 : 0);
  }

  beginTurn(nowUs: number): void {
    this.#words[TURN] = nowUs;
    // An error may have been thrown between a call and its return.
    this.#words[WITHIN] = 0;
  }

  /** The host is about to call application code of the slot's exchange. */
  enter(slot: number): void {
    this.#words[WITHIN] = slot + 1;
  }

  /** The application code has returned. */
  leave(): void {
    this.#words[WITHIN] = 0;
  }

  collected(tookMs: number): void {
    (this.#words[COLLECTIONS] as number)++;
    (this.#floats[COLLECTING] as number) += tookMs;
  }

  measured(heapBytes: number, externalBytes: number): void {
    this.#floats[HEAP] = heapBytes;
    this.#floats[EXTERNAL] = externalBytes;
  }

  late(ms: number): void {
    this.#floats[LOOP_DELAY] = ms;
  }

  /** A collection of garbage of all ages is over: the rest of the heap is in use. */
  collectedAll(heapBytes: number): void {
    this.#floats[LIVE_HEAP] = heapBytes;
  }

  /** Called before the claim, so that a reader that sees the exchange claimed also sees since when. */
  begin(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    words[at] = nowUs;
    words[at + STALLS] = 0;
    words[at + STALLED] = 0;
    words[at + STALLED_SINCE] = 0;
    words[at + COMPUTED] = 0;
  }

  /** When the reactor gave the thread the slot's exchange. */
  givenUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + GIVEN] as number) >>> 0;
  }

  /** When the first octets of the request's head arrived; 0: the whole head arrived at once. */
  arrivingUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + ARRIVING] as number) >>> 0;
  }

  /**
   * Asks to be told when the slot's exchange is over. Holds until `unfollow`, for every exchange that the
   * slot serves.
   */
  follow(slot: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] = 1;
  }

  unfollow(slot: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] = 0;
  }

  /** The thread begins something other than the slot's exchange, or its loop comes around. */
  computed(slot: number, us: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + COMPUTED] = us | 1;
  }

  /**
   * True if the reactor wants to be told that the thread has nothing to do; this takes the request back. The
   * thread asks after it has announced its sleep.
   */
  takeHeldBack(): boolean {
    return Atomics.load(this.#words, HELD_BACK) !== 0 && Atomics.exchange(this.#words, HELD_BACK, 0) !== 0;
  }

  /** The slot's exchange begins to wait for credit. Has no effect if it already waits. */
  stall(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    if (words[at + STALLED_SINCE] !== 0) return;
    (words[at + STALLS] as number)++;
    words[at + STALLED_SINCE] = nowUs | 1;
  }

  /** The slot's exchange no longer waits for credit. Has no effect if it did not wait. */
  unstall(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    const since = words[at + STALLED_SINCE] as number;
    words[at + STALLED] = (words[at + STALLED] as number) + elapsed(since, nowUs);
    words[at + STALLED_SINCE] = 0;
  }

  // ---- for the reactor

  /** 0: the thread does not run yet. */
  get threadId(): number {
    return this.#words[THREAD_ID] as number;
  }

  /** The system's number of the thread; 0: unknown. */
  get osThreadId(): number {
    return this.#words[OS_THREAD_ID] as number;
  }

  /** True if terminating the thread would end the process. */
  get isUnendable(): boolean {
    return Atomics.load(this.#words, UNENDABLE) === 1;
  }

  /** Microseconds since the thread's loop last began a turn; 0: it has begun none yet. A thread that sleeps or computes begins none. */
  turnAgeUs(nowUs: number): number {
    const turnUs = this.#words[TURN] as number;
    return turnUs === 0 ? 0 : elapsed(turnUs, nowUs);
  }

  /** The raw word: a value that differs from an earlier one means another turn. */
  get turn(): number {
    return this.#words[TURN] as number;
  }

  /**
   * Must be called before OPEN is published.
   * @param arrivingUs 0: the request's head arrived at once
   */
  give(slot: number, nowUs: number, arrivingUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    this.#words[at + GIVEN] = nowUs;
    this.#words[at + ARRIVING] = arrivingUs;
  }

  isFollowed(slot: number): boolean {
    return this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] === 1;
  }

  /** The slot whose application code the host has called and that has not returned; -1: none. */
  get within(): number {
    return (this.#words[WITHIN] as number) - 1;
  }

  get collections(): number {
    return (this.#words[COLLECTIONS] as number) >>> 0;
  }

  get collectingMs(): number {
    return this.#floats[COLLECTING] as number;
  }

  /** Bytes in use of the thread's heap, garbage included; 0: not measured yet. */
  get heapBytes(): number {
    return this.#floats[HEAP] as number;
  }

  /** The same without garbage, after the last large collection. */
  get liveHeapBytes(): number {
    return this.#floats[LIVE_HEAP] as number;
  }

  /** Bytes outside the heap: Buffers, above all. */
  get externalBytes(): number {
    return this.#floats[EXTERNAL] as number;
  }

  /** How late the thread's last timer was; one runs each second. */
  get loopDelayMs(): number {
    return this.#floats[LOOP_DELAY] as number;
  }

  /** When the thread claimed the slot's exchange. */
  begunUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT] as number) >>> 0;
  }

  /**
   * Microseconds that the thread computed for the slot before it began another exchange; 0: it has begun
   * nothing else since.
   */
  computedUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + COMPUTED] as number) >>> 0;
  }

  /**
   * Asks the thread to ring when it goes to sleep. It may already sleep, so the caller must check afterwards.
   */
  holdBack(): void {
    Atomics.store(this.#words, HELD_BACK, 1);
  }

  stalls(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + STALLS] as number) >>> 0;
  }

  /** Includes the current stall. */
  stalledUs(slot: number, nowUs: number): number {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const since = this.#words[at + STALLED_SINCE] as number;
    const over = (this.#words[at + STALLED] as number) >>> 0;
    return since === 0 ? over : over + elapsed(since, nowUs);
  }

  isStalled(slot: number): boolean {
    return this.#words[SLOTS + slot * WORDS_PER_SLOT + STALLED_SINCE] !== 0;
  }
}

/** 0 if `earlierUs` lies a little ahead: two different threads took the readings. */
export function elapsed(earlierUs: number, laterUs: number): number {
  return Math.max(0, (laterUs - earlierUs) | 0);
}
