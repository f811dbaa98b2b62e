/**
 * What runs in an application thread: it claims exchanges from the ring and runs the application on each.
 * `Turns` decides when it takes them, and `ThreadOutlet` sends what they produce.
 */
import { getHeapStatistics } from 'node:v8';
import { type AtomicWords, hardwareAtomics } from '../../wire/atomics.ts';
import { copyOf } from '../../wire/bytes.ts';
import { type ChannelTransfer, openChannel } from '../../wire/channel.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import type { HostOptions, ThreadStats } from '../../wire/control.ts';
import { maxMessageLength, RECORDS_OFFSET } from '../../wire/layout.ts';
import { Flag, ResetBy, type ThreadHandler } from '../../wire/messages.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { Vitals } from '../../wire/vitals.ts';
import { isExchangeClosed, isTooLarge } from '../exchange/errors.ts';
import { HostedExchange } from '../exchange/exchange.ts';
import { incomplete } from '../exchange/incomplete.ts';
import { HostedRequest, PromisedRequest } from '../exchange/request.ts';
import type { Application, ExchangeRequest } from '../gateway.ts';
import { type OutletOwner, ThreadOutlet } from './thread-outlet.ts';
import type { Tracing } from './tracing.ts';
import { Turns } from './turns.ts';

export interface HostObserver {
  /** An application threw, or left its exchange unfinished. */
  onFailure(error: unknown, request: ExchangeRequest, requestId: string): void;
}

export class Host implements ThreadHandler, OutletOwner {
  readonly #application: Application;
  readonly #channel: ThreadEnd;
  readonly #observer: HostObserver;
  readonly #slots: (HostedExchange | null)[];
  readonly #vitals: Vitals;
  readonly #turns: Turns;
  readonly #idField: string;
  /** Null: requests have no spans. */
  readonly #tracing: Tracing | null;
  readonly #outlet: ThreadOutlet;

  #open = 0;
  #running = 0;
  #started = 0;
  #failed = 0;
  /** Never leaves `drained`: exchanges that are still in the ring go to another thread. */
  #state: 'running' | 'draining' | 'drained' = 'running';
  readonly #drained = Promise.withResolvers<void>();
  #drainAnnounced = false;

  constructor(
    application: Application,
    transfer: ChannelTransfer,
    options: HostOptions,
    observer: HostObserver,
    atomics: AtomicWords = hardwareAtomics,
    tracing: Tracing | null = null,
  ) {
    this.#tracing = tracing;
    this.#application = application;
    this.#idField = options.requestIdField ?? '';
    const channel = openChannel(transfer, this, atomics);
    this.#channel = channel;
    this.#observer = observer;
    this.#vitals = new Vitals(transfer.vitals);
    this.#slots = new Array<HostedExchange | null>(channel.claims.slots).fill(null);
    this.#turns = new Turns(channel, this.#vitals, (all) => this.#outlet.payCredits(all));
    const maxMessageBytes = maxMessageLength(transfer.responses.byteLength - RECORDS_OFFSET);
    this.#outlet = new ThreadOutlet(channel, maxMessageBytes, options, this.#turns, this.#vitals, this);
    this.#turns.schedule();
  }

  close(): void {
    this.#turns.close();
    this.#tracing?.close();
    this.#channel.close();
  }

  stats(): ThreadStats {
    return {
      openExchanges: this.#open,
      startedExchanges: this.#started,
      failedExchanges: this.#failed,
      stalledExchanges: this.#stalled,
      // Not `process.memoryUsage`, which opens a file: a server may be unable to open any.
      heapUsedBytes: getHeapStatistics().used_heap_size,
    };
  }

  get #stalled(): number {
    if (this.#turns.isScheduled || !this.#channel.isQuiet) return 0;
    let stalled = this.#outlet.waitingLastMessages;
    for (const exchange of this.#slots) if (exchange?.isUnsent) stalled++;
    return this.#channel.unpublishedBytes > 0 ? Math.max(1, stalled) : stalled;
  }

  /** The identifier of the exchange whose code the host has called and that has not returned; empty: none. */
  get calledRequestId(): string {
    return this.#slots[this.#vitals.within]?.requestId ?? '';
  }

  get isDraining(): boolean {
    return this.#drainAnnounced;
  }

  /**
   * Called when the server begins to stop. All exchanges are notified, so that those without a natural end
   * can end. More exchanges may still arrive.
   */
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
    if (
      this.#state !== 'draining' ||
      this.#open > 0 ||
      this.#running > 0 ||
      this.#outlet.waitingLastMessages > 0
    )
      return;
    this.#channel.publish();
    this.#state = 'drained';
    this.#drained.resolve();
  }

  // ---- from the channel

  onWake(): void {
    this.#turns.schedule();
  }

  /**
   * The reactor's side has broken the ring. Nothing can be sent any more, so the thread ends and is replaced.
   */
  onCorrupt(error: Error): void {
    throw error;
  }

  onWritable(): void {
    if (!this.#outlet.onRingRoom()) return;
    this.#turns.schedule();
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
    id = '',
  ): void {
    const now = performance.now();
    const startedAtUs = clockMicroseconds(now);
    this.#turns.reach(now, startedAtUs);
    if (this.#state === 'drained') return;
    this.#vitals.begin(slot, startedAtUs);
    if (!this.#channel.claims.claim(slot, generation)) return;
    const request = new HostedRequest(head, path, flags, id, this.#idField);
    const exchange = new HostedExchange(
      this.#outlet,
      slot,
      request,
      (flags & Flag.End) !== 0,
      (flags & Flag.TakesPushes) !== 0,
      receivedAtUs,
      startedAtUs,
    );
    exchange.begunIn = this.#turns.begin(slot, startedAtUs);
    this.#slots[slot] = exchange;
    this.#open++;
    this.#started++;
    this.#running++;
    this.#vitals.enter(slot);
    // `#run` contains everything that can throw.
    void this.#run(exchange, generation);
    this.#vitals.leave();
    this.#turns.begun();
  }

  /** Never rejects. */
  async #run(exchange: HostedExchange, generation: number): Promise<void> {
    try {
      let result =
        this.#tracing === null
          ? exchange.begin(this.#application)
          : exchange.begin(
              () => this.#tracing?.call(this.#application, exchange, generation) as Promise<void>,
            );
      if (result !== undefined) result = await result;
      if (exchange.tunnel !== null) await exchange.tunnel.returned(false);
      if (!exchange.onReturn()) throw incomplete(result);
    } catch (thrown) {
      const error = exchange.failure ?? thrown;
      // The body exceeded the application's limit: the peer gets 413.
      if (!isTooLarge(error) || !exchange.refuseContent()) await this.#fails(exchange, error);
      // If the stack was exhausted, the answer may have been sent without scheduling a turn.
      this.#turns.said();
    }
    exchange.pushes?.returned();
    this.#running--;
    if (this.#state === 'draining') this.#checkDrained();
  }

  async #fails(exchange: HostedExchange, error: unknown): Promise<void> {
    // An error that an application throws because its exchange was cut off is not the application's failure.
    // That includes a WebSocket that the peer has closed while its tunnel is still open.
    if ((exchange.isOpen && exchange.tunnel === null) || !isExchangeClosed(error)) {
      this.#failed++;
      this.#observer.onFailure(error, exchange.request, exchange.requestId);
    }
    if (exchange.tunnel !== null) await this.#leaveTunnel(exchange);
    exchange.onFailure();
  }

  /** Called after the application has failed: the protocol in its tunnel may still tell the peer. */
  async #leaveTunnel(exchange: HostedExchange): Promise<void> {
    try {
      await exchange.tunnel?.returned(true);
    } catch {
      // The caller fails the exchange next, which is all that could be done about this error as well.
    }
  }

  onData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const exchange = this.#slots[slot];
    if (exchange === null || exchange === undefined) return;
    this.#vitals.enter(slot);
    try {
      // The only copy on this side. It is needed because the record's memory goes back to the ring when this
      // method returns.
      exchange.onData(copyOf(bytes, start, end), (flags & Flag.End) !== 0);
    } catch (error) {
      this.onFault(exchange, error);
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
      this.onFault(exchange, error);
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
      this.onFault(exchange, error);
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
      this.onFault(exchange, error);
    }
    this.#vitals.leave();
  }

  /**
   * Handles an internal error that occurred while an exchange processed a message. It costs that exchange,
   * and not the thread with its other exchanges.
   */
  onFault(exchange: HostedExchange, error: unknown): void {
    this.#failed++;
    this.#observer.onFailure(error, exchange.request, exchange.requestId);
    exchange.onFailure();
  }

  onPromised(slot: number, number: number, accepted: boolean, pushSlot: number): void {
    const parent = this.#slots[slot] ?? null;
    const pushes = parent === null ? null : parent.pushes;
    if (!accepted) {
      try {
        pushes?.refused(number);
      } catch (error) {
        if (parent !== null) this.onFault(parent, error);
      }
      return;
    }
    const pending = pushes?.pending(number);
    if (this.#tracing !== null) this.#vitals.unfollow(pushSlot);
    const request = new PromisedRequest(parent?.request ?? null, pending ?? null, parent?.requestId);
    const pushed = new HostedExchange(this.#outlet, pushSlot, request, true);
    this.#slots[pushSlot] = pushed;
    this.#open++;
    try {
      // The slot belongs to this thread, which must give it back even if the application no longer waits for
      // the push.
      if (pushes?.promised(number, pushed) !== true) pushed.reset();
    } catch (error) {
      // Both exchanges must end: the parent's application waits for the promise, and the pushed exchange has
      // the slot.
      this.onFault(pushed, error);
      if (parent !== null) this.onFault(parent, error);
    }
  }

  onTimes(slot: number, generation: number, atUs: number, status: number): void {
    this.#tracing?.onSent(slot, generation, atUs, status);
  }

  // ---- from the outlet

  onFinished(exchange: HostedExchange): void {
    // If an error interrupted this method, it is called again for the same exchange. By then the slot may
    // serve another exchange.
    if (this.#slots[exchange.slot] !== exchange) return;
    this.#slots[exchange.slot] = null;
    if (this.#tracing !== null) this.#tracing.onFinished(exchange.slot);
    this.#open--;
    this.#turns.answered(exchange.begunIn);
    if (this.#state === 'draining') queueMicrotask(() => this.#checkDrained());
  }
}
