/**
 * What runs in an application thread: it claims exchanges from the ring, runs the application on each, and drives
 * the channel in turns of bounded work.
 *
 * A turn publishes what the last one produced, then takes up to `#batch` records. The batch adapts: it halves
 * when a turn, with the microtasks that followed it, took longer than `TURN_TARGET_MS` and doubles when it was short. So a
 * thread whose exchanges cost milliseconds claims them one by one, and what it has not begun stays recallable by
 * the reactor; a thread whose exchanges cost microseconds takes hundreds for one publish.
 *
 * A turn that found a single request ends in sleep: whoever waits for that answer can use the processor better than a thread that polls.
 *
 * A large batch is a guess that the next exchanges are like the last. So a turn that has begun `MOST_UNANSWERED` exchanges
 * without an answer lets them run before it takes more, and one that turns out long publishes what it has and ends. What is
 * sent later than that is published at once: whoever computes next would hold it back.
 *
 * The application and its listeners run in contexts of their exchanges' own, and the turn in the one that the thread began
 * with, whoever schedules it: no exchange sees what another has entered.
 */
import { AsyncResource } from 'node:async_hooks';
import { type AtomicWords, hardwareAtomics } from '../wire/atomics.ts';
import { copyOf } from '../wire/bytes.ts';
import { type ChannelTransfer, openChannel } from '../wire/channel.ts';
import { clockMicroseconds } from '../wire/clock.ts';
import type { HostOptions, ThreadStats } from '../wire/control.ts';
import { maxMessageLength, RECORDS_OFFSET } from '../wire/layout.ts';
import { Flag, ResetBy, type ResetReason, type ThreadHandler } from '../wire/messages.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { ThreadEnd } from '../wire/thread-end.ts';
import { elapsed, Vitals } from '../wire/vitals.ts';
import { CoreWait } from './core-wait.ts';
import { HostError } from './errors.ts';
import { HostedExchange } from './exchange.ts';
import type { Application, ExchangeRequest } from './gateway.ts';
import { incomplete } from './incomplete.ts';
import type { Outlet } from './outlet.ts';
import { HostedRequest, PromisedRequest } from './request.ts';

/** Room for the integers of a message, the head of its content, and the content-length that `respond` adds. */
const FIXED_HEAD_BYTES = 160;
const TURN_TARGET_MS = 1;
/**
 * Answers wait no longer than this for the end of their turn once the next exchange is begun, which may take any time. A batch of work that
 * costs microseconds is over before: to publish within it would ring the reactor twice for it.
 */
const PUBLISH_AFTER_MS = 0.5;
const LARGEST_BATCH = 256;
/** Who has kept the thread for longer may only have waited for a core. */
const SUSPICIOUS_US = 500;
/** They run one after the other once the turn pauses, and nobody else can take them any more. */
const MOST_UNANSWERED = 8;
const RESOLVED = Promise.resolve();
/** Rounds of microtasks that a paused turn gives to exchanges before it lets ticks run as well: to answer takes most of them a few. */
const MOST_ROUNDS = 8;
/** Turns without a record before the thread sleeps: a wake-up costs the reactor a doorbell, some polls cost less. */
const POLLS_BEFORE_SLEEP = 8;

/** The context before any of the application's code has run. */
const OUTERMOST = new AsyncResource('SLUICE_HOST');

export interface HostObserver {
  /** An application threw or left its exchange unfinished. */
  onFailure(error: unknown, request: ExchangeRequest): void;
}

/** A FINAL message that waits for room: RESET, or CLOSED. */
interface Final {
  readonly slot: number;
  readonly reset: { readonly flags: number; readonly code: number; readonly reason: ResetReason } | null;
}

export class Host implements ThreadHandler, Outlet<HostedExchange> {
  readonly options: HostOptions;
  readonly maxDataBytes: number;
  readonly maxHeadBytes: number;
  readonly #application: Application;
  readonly #channel: ThreadEnd;
  readonly #observer: HostObserver;
  readonly #slots: (HostedExchange | null)[];
  readonly #vitals: Vitals;
  /** Exchanges that met a full ring, and those that owe credit this turn. */
  readonly #stuck = new Set<HostedExchange>();
  readonly #owing = new Set<HostedExchange>();
  /** FINAL messages that met a full ring: at most one per slot. */
  readonly #finals: Final[] = [];

  #batch = 1;
  #polls = 0;
  #scheduled = false;
  /** Turns without a record before it sleeps. */
  #pollsBeforeSleep = POLLS_BEFORE_SLEEP;
  /** Exchanges begun in this turn. */
  #begun = 0;
  #turnStartMs = 0;
  #publishedMs = 0;
  /** The slot of the exchange that was begun last and since when; -1: the loop has come around since. */
  #computingSlot = -1;
  #computingSinceUs = 0;
  readonly #coreWait = new CoreWait();
  #receivedLast = 0;
  /** What the turn before that received. */
  #receivedBefore = 0;
  #isReceiving = false;
  /** Of the exchanges that have been begun since the turn began or last paused, those that have not been answered. */
  #unanswered = 0;
  /** Counts turns and their pauses: an exchange knows in which it was begun. */
  #pauses = 0;
  #rounds = 0;
  #open = 0;
  #running = 0;
  #started = 0;
  #failed = 0;
  #pushNumber = 0;
  /** `drained` is final: what is still in the ring goes to another thread. */
  #state: 'running' | 'draining' | 'drained' = 'running';
  readonly #drained = Promise.withResolvers<void>();
  #drainAnnounced = false;
  readonly #turn: () => void;
  readonly #receive: () => void;
  readonly #goOn: () => void;
  readonly #noteNow: () => void;

  constructor(
    application: Application,
    transfer: ChannelTransfer,
    options: HostOptions,
    observer: HostObserver,
    atomics: AtomicWords = hardwareAtomics,
  ) {
    this.#application = application;
    this.#channel = openChannel(transfer, this, atomics);
    this.#observer = observer;
    this.#vitals = new Vitals(transfer.vitals);
    this.options = options;
    this.maxDataBytes = this.#channel.maxDataRecordBytes;
    this.maxHeadBytes = maxMessageLength(transfer.responses.byteLength - RECORDS_OFFSET) - FIXED_HEAD_BYTES;
    this.#slots = new Array<HostedExchange | null>(this.#channel.claims.slots).fill(null);
    this.#turn = () => this.#runTurn();
    this.#receive = () => this.#receiveSome(performance.now());
    this.#goOn = () => this.#goOnWhenAnswered();
    this.#noteNow = () => {
      if (this.#computingSlot === -1) return;
      const now = performance.now();
      this.#noteComputed(now, clockMicroseconds(now));
    };
    this.#schedule();
  }

  close(): void {
    this.#coreWait.close();
    this.#channel.close();
  }

  stats(): ThreadStats {
    return {
      openExchanges: this.#open,
      startedExchanges: this.#started,
      failedExchanges: this.#failed,
      stalledExchanges: this.#stalled,
      heapUsedBytes: process.memoryUsage().heapUsed,
    };
  }

  get #stalled(): number {
    if (this.#scheduled || !this.#channel.isQuiet) return 0;
    let stalled = this.#finals.length;
    for (const exchange of this.#slots) if (exchange?.isUnsent) stalled++;
    return this.#channel.unpublishedBytes > 0 ? Math.max(1, stalled) : stalled;
  }

  get isDraining(): boolean {
    return this.#drainAnnounced;
  }

  /** The server begins to stop: exchanges that have no end of their own hear of it. More may still come. */
  announceDrain(): void {
    if (this.#drainAnnounced) return;
    this.#drainAnnounced = true;
    for (const exchange of this.#slots) exchange?.onDraining();
  }

  /** Resolves when every exchange is over and every application function has returned. */
  drain(): Promise<void> {
    if (this.#state === 'running') this.#state = 'draining';
    this.announceDrain();
    this.#checkDrained();
    return this.#drained.promise;
  }

  #checkDrained(): void {
    if (this.#state !== 'draining' || this.#open > 0 || this.#running > 0 || this.#finals.length > 0) return;
    this.#channel.publish();
    this.#state = 'drained';
    this.#drained.resolve();
  }

  // ---- turns

  #schedule(): void {
    this.#polls = 0;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A callback of Node's runs in the context that asked for it, and here that may be an application's.
    OUTERMOST.runInAsyncScope(setImmediate, undefined, this.#turn);
  }

  #runTurn(): void {
    const now = performance.now();
    // The time since the last turn began holds the microtasks of what it received: the applications' own work.
    if (this.#receivedLast > 0) {
      if (now - this.#turnStartMs > TURN_TARGET_MS) {
        this.#batch = Math.max(1, Math.min(this.#batch, this.#receivedLast) >> 1);
      } else if (this.#receivedLast >= this.#batch) this.#batch = Math.min(LARGEST_BATCH, this.#batch << 1);
    }
    this.#turnStartMs = now;
    const nowUs = clockMicroseconds(now);
    this.#vitals.beginTurn(nowUs);
    if (this.#computingSlot !== -1) this.#noteComputed(now, nowUs);
    this.#coreWait.mark(now);
    if (this.#owing.size > 0) this.#payCredits(false);
    this.#channel.publish();
    this.#publishedMs = now;
    this.#receivedBefore = this.#receivedLast;
    this.#receivedLast = 0;
    this.#begun = 0;
    this.#receiveSome(now);
  }

  /** The thread does something else now than what it began last. */
  #noteComputed(nowMs: number, nowUs: number): void {
    let us = elapsed(this.#computingSinceUs, nowUs);
    if (us > SUSPICIOUS_US) us = Math.max(0, us - this.#coreWait.sinceMark(nowMs));
    this.#vitals.computed(this.#computingSlot, us);
    this.#computingSlot = -1;
  }

  /**
   * The turn ends in sleep, and the next one comes whenever there is something: what was begun is not to count until then. If it has not been
   * answered it may go on in a microtask, which this one is behind.
   */
  #noteBeforeSleep(): void {
    if (this.#unanswered === 0) this.#noteNow();
    else void RESOLVED.then(this.#noteNow);
  }

  #receiveSome(nowMs: number): void {
    this.#unanswered = 0;
    this.#pauses++;
    if (!this.#isLate(nowMs)) {
      this.#isReceiving = true;
      this.#receivedLast += this.#channel.receive(this.#batch - this.#receivedLast);
      this.#isReceiving = false;
    }
    if (this.#unanswered >= MOST_UNANSWERED && this.#receivedLast < this.#batch) {
      this.#rounds = 0;
      void RESOLVED.then(this.#goOn);
    } else {
      this.#endTurn();
    }
  }

  /** As soon as all that were begun have been answered, and at the latest when they have come as far as they can. */
  #goOnWhenAnswered(): void {
    if (this.#unanswered === 0) this.#receive();
    else if (++this.#rounds < MOST_ROUNDS) void RESOLVED.then(this.#goOn);
    // Node runs ticks, then all microtasks, then ticks again: this one is behind both.
    else process.nextTick(this.#receive);
  }

  #endTurn(): void {
    if (this.#receivedLast > 0) {
      // A single message of another kind is a part of a body, and the next will follow.
      const isLone = this.#receivedLast === 1 && this.#begun === 1 && this.#receivedBefore <= 1;
      this.#pollsBeforeSleep = isLone ? 0 : POLLS_BEFORE_SLEEP;
      this.#polls = 0;
    } else {
      this.#polls++;
    }
    if (this.#polls > this.#pollsBeforeSleep || this.#pollsBeforeSleep === 0) {
      if (this.#computingSlot !== -1) this.#noteBeforeSleep();
      if (this.#owing.size > 0) this.#payCredits(true);
      // A closed channel never sleeps and never brings anything again.
      if (this.#channel.sleep() || this.#channel.state !== 'awake') {
        this.#scheduled = false;
        if (this.#vitals.takeHeldBack()) this.#channel.wakePeer();
        return;
      }
      this.#polls = 0;
    }
    setImmediate(this.#turn);
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#turnStartMs > TURN_TARGET_MS;
  }

  /** Credit for little would cost more messages and wake-ups than the bytes: it can wait until the thread would sleep. */
  #payCredits(all: boolean): void {
    for (const exchange of this.#owing) {
      if (!all && !exchange.owesMuch) continue;
      this.#owing.delete(exchange);
      exchange.payCredit();
    }
  }

  onWake(): void {
    this.#schedule();
  }

  /** The reactor's side has broken the ring: nothing can be said any more, so the thread ends and is replaced. */
  onCorrupt(error: Error): void {
    throw error;
  }

  onWritable(): void {
    while (this.#finals.length > 0) {
      const { slot, reset } = this.#finals[0] as Final;
      if (!this.#sendFinal(slot, reset)) return;
      this.#finals.shift();
    }
    for (const exchange of this.#stuck) {
      this.#stuck.delete(exchange);
      try {
        exchange.payCredit();
        exchange.pump();
      } catch (error) {
        this.#fault(exchange, error);
      }
      if (this.#stuck.has(exchange)) break;
    }
    this.#schedule();
    this.#checkDrained();
  }

  // ---- from the reactor

  onOpen(
    slot: number,
    generation: number,
    flags: number,
    receivedAtUs: number,
    path: string,
    head: RequestHead,
  ): void {
    const now = performance.now();
    const startedAtUs = clockMicroseconds(now);
    if (this.#computingSlot !== -1) this.#noteComputed(now, startedAtUs);
    const isLate = this.#isLate(now);
    if (isLate || now - this.#publishedMs > PUBLISH_AFTER_MS) {
      this.#channel.publish();
      this.#publishedMs = now;
    }
    if (isLate) this.#channel.leave();
    if (this.#state === 'drained') return;
    this.#vitals.begin(slot, startedAtUs);
    if (!this.#channel.claims.claim(slot, generation)) return;
    this.#computingSlot = slot;
    this.#computingSinceUs = startedAtUs;
    const request = new HostedRequest(head, path, flags);
    const exchange = new HostedExchange(
      this,
      slot,
      request,
      (flags & Flag.End) !== 0,
      (flags & Flag.TakesPushes) !== 0,
      receivedAtUs,
      startedAtUs,
    );
    exchange.begunIn = this.#pauses;
    this.#slots[slot] = exchange;
    this.#open++;
    this.#begun++;
    this.#started++;
    this.#running++;
    this.#unanswered++;
    this.#vitals.enter(slot);
    // All that can throw is in there, and contained.
    void this.#run(exchange);
    this.#vitals.leave();
    if (this.#unanswered >= MOST_UNANSWERED) this.#channel.leave();
  }

  /** Never rejects. */
  async #run(exchange: HostedExchange): Promise<void> {
    try {
      let result = exchange.begin(this.#application);
      if (result !== undefined) result = await result;
      if (exchange.tunnel !== null) await exchange.tunnel.returned(false);
      if (!exchange.onReturn()) throw incomplete(result);
    } catch (thrown) {
      const error = exchange.failure ?? thrown;
      // That is the peer's doing, and it is told so.
      if (!isTooLarge(error) || !exchange.refuseContent()) await this.#fails(exchange, error);
      // What broke off at the end of a stack may have been sent, and no turn been asked for.
      this.#said();
    }
    exchange.pushes?.returned();
    this.#running--;
    if (this.#state === 'draining') this.#checkDrained();
  }

  async #fails(exchange: HostedExchange, error: unknown): Promise<void> {
    // What an application throws because its exchange was cut off under it is no failure of its own. What runs in a
    // tunnel may be closed under it while the tunnel is still open.
    if ((exchange.isOpen && exchange.tunnel === null) || !isClosedError(error)) {
      this.#failed++;
      this.#observer.onFailure(error, exchange.request);
    }
    if (exchange.tunnel !== null) await this.#leaveTunnel(exchange);
    exchange.onFailure();
  }

  /** The application has failed: its tunnel's protocol may still say so to the peer. */
  async #leaveTunnel(exchange: HostedExchange): Promise<void> {
    try {
      await exchange.tunnel?.returned(true);
    } catch {
      // The exchange fails next, which is all that could be done about this as well.
    }
  }

  onData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const exchange = this.#slots[slot];
    if (exchange === null || exchange === undefined) return;
    this.#vitals.enter(slot);
    try {
      // The one copy on this side: the record's memory goes back to the ring when this returns.
      exchange.onData(copyOf(bytes, start, end), (flags & Flag.End) !== 0);
    } catch (error) {
      this.#fault(exchange, error);
    }
    this.#vitals.leave();
  }

  onTrailers(slot: number, fields: string[]): void {
    const exchange = this.#slots[slot];
    if (exchange === null || exchange === undefined) return;
    this.#vitals.enter(slot);
    try {
      exchange.onTrailers(fields);
    } catch (error) {
      this.#fault(exchange, error);
    }
    this.#vitals.leave();
  }

  onCredit(slot: number, bytes: number): void {
    const exchange = this.#slots[slot];
    if (exchange === null || exchange === undefined) return;
    this.#vitals.enter(slot);
    try {
      exchange.onCredit(bytes);
    } catch (error) {
      this.#fault(exchange, error);
    }
    this.#vitals.leave();
  }

  onReset(slot: number, code: number, by: number): void {
    const exchange = this.#slots[slot];
    if (exchange === null || exchange === undefined) return;
    this.#vitals.enter(slot);
    try {
      exchange.onReset(code, by === ResetBy.Peer ? 'peer' : 'server');
    } catch (error) {
      this.#fault(exchange, error);
    }
    this.#vitals.leave();
  }

  /** An error of ours in what an exchange is told costs that exchange, not the thread and all others on it. */
  #fault(exchange: HostedExchange, error: unknown): void {
    this.#failed++;
    this.#observer.onFailure(error, exchange.request);
    exchange.onFailure();
  }

  onPromised(slot: number, number: number, accepted: boolean, pushSlot: number): void {
    const parent = this.#slots[slot] ?? null;
    const pushes = parent === null ? null : parent.pushes;
    if (!accepted) {
      try {
        pushes?.refused(number);
      } catch (error) {
        if (parent !== null) this.#fault(parent, error);
      }
      return;
    }
    const pending = pushes?.pending(number);
    const request = new PromisedRequest(parent?.request ?? null, pending ?? null);
    const pushed = new HostedExchange(this, pushSlot, request, true);
    this.#slots[pushSlot] = pushed;
    this.#open++;
    try {
      // The slot is ours and has to be given back, whoever may have wanted it.
      if (pushes?.promised(number, pushed) !== true) pushed.reset();
    } catch (error) {
      // Both: the one waits for the promise, and the other has the slot.
      this.#fault(pushed, error);
      if (parent !== null) this.#fault(parent, error);
    }
  }

  // ---- to the reactor

  sendHead(
    exchange: HostedExchange,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean {
    const sent = this.#channel.sendHead(exchange.slot, flags, status, fields, body);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendInform(exchange: HostedExchange, status: number, fields: readonly string[]): boolean {
    return this.#sent(exchange, this.#channel.sendInform(exchange.slot, status, fields));
  }

  sendData(exchange: HostedExchange, flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    const sent = this.#channel.sendData(exchange.slot, flags, bytes, start, end);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendTrailers(exchange: HostedExchange, flags: number, fields: readonly string[]): boolean {
    const sent = this.#channel.sendTrailers(exchange.slot, flags, fields);
    if (sent && (flags & Flag.Final) !== 0) exchange.isFinalSent = true;
    return this.#sent(exchange, sent);
  }

  sendCredit(exchange: HostedExchange, granted: number, consumed: number): boolean {
    return this.#sent(exchange, this.#channel.sendCredit(exchange.slot, granted, consumed));
  }

  nextPushNumber(): number {
    this.#pushNumber = (this.#pushNumber + 1) >>> 0;
    return this.#pushNumber;
  }

  sendPush(
    exchange: HostedExchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): boolean {
    return this.#sent(exchange, this.#channel.sendPush(exchange.slot, number, method, path, fields));
  }

  sendPad(exchange: HostedExchange, toMultipleOf: number): boolean {
    return this.#sent(exchange, this.#channel.sendPad(exchange.slot, toMultipleOf));
  }

  stalled(exchange: HostedExchange): void {
    this.#vitals.stall(exchange.slot, clockMicroseconds());
  }

  unstalled(exchange: HostedExchange): void {
    this.#vitals.unstall(exchange.slot, clockMicroseconds());
  }

  owes(exchange: HostedExchange): void {
    this.#owing.add(exchange);
    this.#schedule();
  }

  sendClosed(exchange: HostedExchange): void {
    const { slot } = exchange;
    if (this.#finals.length > 0 || !this.#channel.sendClosed(slot)) this.#finals.push({ slot, reset: null });
    exchange.isFinalSent = true;
    this.#said();
  }

  sendReset(exchange: HostedExchange, flags: number, code: number, reason: ResetReason): void {
    const { slot } = exchange;
    const reset = { flags, code, reason };
    if (this.#finals.length > 0 || !this.#sendFinal(slot, reset)) this.#finals.push({ slot, reset });
    exchange.isFinalSent = true;
    this.#said();
  }

  #sendFinal(slot: number, reset: Final['reset']): boolean {
    return reset === null
      ? this.#channel.sendClosed(slot)
      : this.#channel.sendReset(slot, reset.flags, reset.code, reset.reason);
  }

  finished(exchange: HostedExchange): void {
    this.#stuck.delete(exchange);
    this.#owing.delete(exchange);
    // Called again for an exchange whose end broke off in here, when the slot may serve another.
    if (this.#slots[exchange.slot] !== exchange) return;
    this.#slots[exchange.slot] = null;
    this.#open--;
    if (exchange.begunIn === this.#pauses) this.#unanswered--;
    if (this.#state === 'draining') queueMicrotask(() => this.#checkDrained());
  }

  #sent(exchange: HostedExchange, sent: boolean): boolean {
    if (sent) this.#said();
    else this.#stuck.add(exchange);
    return sent;
  }

  /** The next turn publishes it, unless that is late already. */
  #said(): void {
    if (this.#isReceiving) return;
    if (this.#isLate(performance.now())) this.#channel.publish();
    this.#schedule();
  }
}

function isClosedError(error: unknown): boolean {
  try {
    if (!(error instanceof Error && 'code' in error)) return false;
    return error.code === 'SLUICE_EXCHANGE_CLOSED' || error.code === 'SLUICE_WEBSOCKET_CLOSED';
  } catch {
    // A trap or a getter of what the application threw has thrown: no error of ours has either.
    return false;
  }
}

/** A body was over the limit that the application had set. */
function isTooLarge(error: unknown): boolean {
  try {
    return error instanceof HostError && error.code === 'SLUICE_BODY_TOO_LARGE';
  } catch {
    // As above.
    return false;
  }
}
