/**
 * What a thread tells of itself in shared memory, for the reactor to read whenever it likes, also while the thread computes.
 *
 *   word   0   thread id           Node's, once the thread runs
 *          1   turn                when its loop began a turn last
 *          2   collections         how often garbage has been collected
 *          3   within              1 + the slot whose application code the host has called and that has not returned; 0: none
 *          4   collecting          milliseconds that this has taken, as a 64-bit float
 *          6   OS thread id        the system's number of the thread, or 0
 *          8   heap                bytes of its heap in use, as a 64-bit float, as are the next two
 *         10   live heap           the same behind the last large collection; 0: there was none
 *         12   external            bytes outside of it that its objects hold, Buffers above all
 *         14   unendable           1: V8 cannot end it where it is, without the process (workers/loading/evaluation.ts)
 *         15   ... padding
 *         16   held back           1: the reactor has work that the thread is to ask for when it has nothing to do
 *         17   ... padding
 *         24   loop delay          milliseconds that its last timer was late, as a 64-bit float; it asks for one each second
 *         26   ... padding
 *         32   slots               eight words each:
 *                begun             when the thread claimed the slot's exchange
 *                stalls            how often the exchange had something to send and no credit for it
 *                stalled           microseconds that it waited for credit, all stalls that are over together
 *                stalled since     when the stall that goes on began, or 0
 *                computed          microseconds from its beginning until the thread began the next one or its loop came around, less what
 *                                  the thread waited for a core; 0: neither has happened, the thread computes since then
 *                given             when the reactor gave the thread the slot's exchange, where the thread makes spans
 *                followed          1: the thread wants to hear when the exchange is over for its peer, too
 *                arriving          when the first octets of the request's head came, where the thread makes spans; 0: all came at once
 *
 * Times are `clockMicroseconds` as 32-bit words that wrap. Only the thread writes, `held back`, `given` and `arriving` excepted, one word at a time and
 * without a barrier: what is read is a moment old at most, and what belongs to an exchange was written before the message that ended it was
 * published, but for `computed`, which may come later.
 *
 * A stall of more than half a wrap, 35 minutes, counts for nothing.
 *
 * From these words follow figures, and whether the thread hangs: one that has gone wild may write what it likes, and harms its own
 * exchanges alone.
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

  // ---- the thread

  identify(threadId: number, osThreadId = 0): void {
    this.#words[OS_THREAD_ID] = osThreadId;
    this.#words[THREAD_ID] = threadId;
  }

  /** Whether code runs in which V8 cannot end the thread. */
  setUnendable(isUnendable: boolean): void {
    Atomics.store(this.#words, UNENDABLE, isUnendable ? 1 : 0);
  }

  beginTurn(nowUs: number): void {
    this.#words[TURN] = nowUs;
    // An error may have come between a call and its return.
    this.#words[WITHIN] = 0;
  }

  /** The host is about to call code of the slot's exchange. */
  enter(slot: number): void {
    this.#words[WITHIN] = slot + 1;
  }

  /** It has returned. */
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

  /** Garbage of all ages: what is left is in use. */
  collectedAll(heapBytes: number): void {
    this.#floats[LIVE_HEAP] = heapBytes;
  }

  /** Before the claim, so that whoever sees the exchange claimed sees since when. */
  begin(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    words[at] = nowUs;
    words[at + STALLS] = 0;
    words[at + STALLED] = 0;
    words[at + STALLED_SINCE] = 0;
    words[at + COMPUTED] = 0;
  }

  /** When the reactor gave it the slot's exchange. */
  givenUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + GIVEN] as number) >>> 0;
  }

  /** When the first octets of its request's head came; 0: all came at once. */
  arrivingUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + ARRIVING] as number) >>> 0;
  }

  /** It wants to hear when the slot's exchange is over. Until `unfollow`, for whichever exchange the slot serves. */
  follow(slot: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] = 1;
  }

  unfollow(slot: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] = 0;
  }

  /** The thread begins something else than the slot's exchange, or comes around its loop. */
  computed(slot: number, us: number): void {
    this.#words[SLOTS + slot * WORDS_PER_SLOT + COMPUTED] = us | 1;
  }

  /** Whether the reactor is to hear that the thread has nothing to do; asked when it has announced its sleep. Once for each wish. */
  takeHeldBack(): boolean {
    return Atomics.load(this.#words, HELD_BACK) !== 0 && Atomics.exchange(this.#words, HELD_BACK, 0) !== 0;
  }

  /** The exchange waits for credit. Nothing happens if it does so already. */
  stall(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    if (words[at + STALLED_SINCE] !== 0) return;
    (words[at + STALLS] as number)++;
    words[at + STALLED_SINCE] = nowUs | 1;
  }

  /** It waits no longer, if it did. */
  unstall(slot: number, nowUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    const words = this.#words;
    const since = words[at + STALLED_SINCE] as number;
    words[at + STALLED] = (words[at + STALLED] as number) + elapsed(since, nowUs);
    words[at + STALLED_SINCE] = 0;
  }

  // ---- the reactor

  /** 0: it does not run yet. */
  get threadId(): number {
    return this.#words[THREAD_ID] as number;
  }

  /** The system's number of the thread; 0: nobody knows. */
  get osThreadId(): number {
    return this.#words[OS_THREAD_ID] as number;
  }

  /** Whoever terminates it ends the process. */
  get isUnendable(): boolean {
    return Atomics.load(this.#words, UNENDABLE) === 1;
  }

  /** Microseconds since its loop began a turn last. One that sleeps, or computes, begins none. */
  turnAgeUs(nowUs: number): number {
    return elapsed(this.#words[TURN] as number, nowUs);
  }

  /** As the thread wrote it: what differs from the last time is another turn. */
  get turn(): number {
    return this.#words[TURN] as number;
  }

  /** Before OPEN is published. @param arrivingUs 0: the request's head came at once */
  give(slot: number, nowUs: number, arrivingUs: number): void {
    const at = SLOTS + slot * WORDS_PER_SLOT;
    this.#words[at + GIVEN] = nowUs;
    this.#words[at + ARRIVING] = arrivingUs;
  }

  isFollowed(slot: number): boolean {
    return this.#words[SLOTS + slot * WORDS_PER_SLOT + FOLLOWED] === 1;
  }

  /** The slot whose application code has been called and has not returned; -1: none. */
  get within(): number {
    return (this.#words[WITHIN] as number) - 1;
  }

  get collections(): number {
    return (this.#words[COLLECTIONS] as number) >>> 0;
  }

  get collectingMs(): number {
    return this.#floats[COLLECTING] as number;
  }

  /** Bytes of its heap in use, garbage included; 0: not measured yet. */
  get heapBytes(): number {
    return this.#floats[HEAP] as number;
  }

  /** The same without garbage, behind the last large collection. */
  get liveHeapBytes(): number {
    return this.#floats[LIVE_HEAP] as number;
  }

  /** Outside of the heap: Buffers, above all. */
  get externalBytes(): number {
    return this.#floats[EXTERNAL] as number;
  }

  /** How late its last timer was, of one each second. */
  get loopDelayMs(): number {
    return this.#floats[LOOP_DELAY] as number;
  }

  /** When the thread claimed the slot's exchange. */
  begunUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT] as number) >>> 0;
  }

  /** What the thread computed before it began another, in microseconds; 0: nothing else since. */
  computedUs(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + COMPUTED] as number) >>> 0;
  }

  /** The thread is to ring when it goes to sleep. It may sleep already: to be looked at afterwards. */
  holdBack(): void {
    Atomics.store(this.#words, HELD_BACK, 1);
  }

  stalls(slot: number): number {
    return (this.#words[SLOTS + slot * WORDS_PER_SLOT + STALLS] as number) >>> 0;
  }

  /** The stall that goes on included. */
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

/** 0 for what lies a little ahead: the two readings are different threads'. */
export function elapsed(earlierUs: number, laterUs: number): number {
  return Math.max(0, (laterUs - earlierUs) | 0);
}
