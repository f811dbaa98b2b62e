/**
 * One exchange in the reactor: it connects a protocol's stream and a thread's slot. It knows its request's
 * head, how far request and response are (state.ts) and how it ended, and it ensures that both sides end
 * exactly once.
 *
 * It has a job, which is the part of it that a pool and its threads see (exchange-job.ts). Once a tick of the
 * deadlines has seen it, it also has a watch (exchange-watch.ts). It knows nothing about sockets, nor about
 * what threads do with a request.
 */
import { ResetBy } from '../../wire/messages.ts';
import type { Watchable, Watcher } from '../deadlines/watch.ts';
import type { OpeningThread, Refusal } from '../pools/job.ts';
import type * as contracts from './contracts.ts';
import { type ExchangeFlow, ExchangeJob, type JobOwner } from './exchange-job.ts';
import { ExchangeWatch, type WatchOwner } from './exchange-watch.ts';
import { Outcome } from './outcomes.ts';
import { ownResponseOf } from './own-responses.ts';
import { announcesMoreThan } from './request-head.ts';
import { ExchangeEffect, ExchangeInput, ExchangeState, isOver, isRequestOpen, transition } from './state.ts';

/** RFC 9113 section 7. */
const REFUSED_STREAM = 0x7;
const CANCEL = 0x8;
const REFUSALS = {
  'queue-full': Outcome.QueueFull,
  'waited-too-long': Outcome.WaitedTooLong,
  'no-thread': Outcome.NoThread,
  draining: Outcome.Draining,
} as const;

export type Transport = contracts.Transport<Exchange>;
export type Taker = contracts.Taker<ExchangeJob<Exchange>>;
export type Destination = contracts.Destination<ExchangeJob<Exchange>>;

export class Exchange implements JobOwner, WatchOwner, Watchable, contracts.EndedExchange {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly version: '2' | '1.1' | '1.0';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly fields: readonly string[];
  /** The description of the connection's TLS for the thread (`describeTls`); empty for cleartext. */
  readonly tls: string;
  /** The request's identifier for logs, applications and the peer; empty: it has none. */
  requestId = '';
  readonly transport: Transport;
  /** The transport's own object for this exchange. */
  readonly stream: unknown;
  /** The destination of its route. */
  readonly destination: Destination;
  readonly job: ExchangeJob<Exchange>;

  // The members of Watchable; only the watcher uses them.
  watcher: Watcher | null = null;
  previousWatched: Watchable | null = null;
  nextWatched: Watchable | null = null;
  watch: ExchangeWatch | null = null;

  /** Bytes of request content that have arrived. */
  receivedBytes = 0;
  /** Status of the final response; 0 until there is one. */
  status = 0;
  /** Bytes of response content that were passed to the transport. */
  responseBytes = 0;
  /** Response bytes that the transport has reported as sent. */
  sentBytes = 0;
  readonly isTunnel: boolean;
  #progress: ExchangeState;
  /** How the exchange ended. Only the first value counts. Null: the end of the transport decides. */
  #outcome: Outcome | null = null;
  /** Bytes of content that may still arrive. */
  #allowedBytes: number;

  constructor(
    transport: Transport,
    stream: unknown,
    destination: Destination,
    method: string,
    scheme: string,
    authority: string,
    path: string,
    version: '2' | '1.1' | '1.0',
    remoteAddress: string,
    remotePort: number,
    fields: readonly string[],
    requestEnded: boolean,
    tls = '',
  ) {
    this.transport = transport;
    this.stream = stream;
    this.destination = destination;
    this.method = method;
    this.scheme = scheme;
    this.authority = authority;
    this.path = path;
    this.version = version;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.fields = fields;
    this.tls = tls;
    this.isTunnel = method === 'CONNECT' || fields[0] === ':protocol';
    this.#progress = requestEnded ? ExchangeState.WholeUnanswered : ExchangeState.OpenUnanswered;
    this.#allowedBytes = this.isTunnel ? Infinity : destination.maxBodyBytes;
    this.job = new ExchangeJob<Exchange>(this, requestEnded);
    destination.outcomes.started++;
  }

  // ---- its properties

  /** See state.ts. */
  get progress(): ExchangeState {
    return this.#progress;
  }

  /** True if the application may still want content that the peer has not sent yet. */
  get readsRequest(): boolean {
    return isRequestOpen(this.#progress);
  }

  /** For the diagnosis of stalled exchanges; null: there is no content, or none yet. */
  get flow(): ExchangeFlow {
    return this.job.flow;
  }

  get admittedAtMs(): number {
    return this.job.admittedAtMs;
  }

  get releasedAtMs(): number {
    return this.job.releasedAtMs;
  }

  createWatch(): ExchangeWatch {
    return new ExchangeWatch(this);
  }

  // ---- its course

  /**
   * Does one step of the table. The exchange is in its next state when this returns.
   * @returns what the caller must do
   */
  step(input: ExchangeInput): ExchangeEffect {
    const { effect, next } = transition(this.#progress, input);
    this.#progress = next;
    return effect;
  }

  /**
   * Submits the job to the pool of its route. Answers 404 if no route leads to a pool, 413 if the head
   * announces too much content.
   */
  start(): void {
    const { dispatcher, lane } = this.destination;
    if (dispatcher === null) this.answer(404);
    else if (this.readsRequest && announcesMoreThan(this.#allowedBytes, this)) {
      this.#outcome = Outcome.TooLarge;
      this.answer(413);
    } else {
      this.job.lane = lane ?? null;
      dispatcher.submit(this.job);
    }
  }

  /**
   * Opens its job on a thread, with the request's head.
   * @param admittedUs when the head had arrived
   * @returns false if the ring is full
   */
  openOn(
    channel: OpeningThread['channel'],
    slot: number,
    generation: number,
    flags: number,
    admittedUs: number,
  ): boolean {
    return channel.sendOpen(
      slot,
      generation,
      flags,
      this.method,
      this.scheme,
      this.authority,
      this.path,
      this.version,
      this.remoteAddress,
      this.remotePort,
      admittedUs,
      this.fields,
      this.tls,
      this.requestId,
    );
  }

  onRequestData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.receivedBytes += end - start;
    this.#allowedBytes -= end - start;
    if (this.#allowedBytes < 0 && this.readsRequest) this.#refuseContent();
    const input = last ? ExchangeInput.ReceiveEnd : ExchangeInput.ReceiveContent;
    if (this.step(input) === ExchangeEffect.Proceed) this.job.takeContent(bytes, start, end, last);
    else if (end > start) this.transport.consume(this, end - start);
  }

  onRequestTrailers(fields: string[]): void {
    if (this.step(ExchangeInput.ReceiveEnd) === ExchangeEffect.Proceed) this.job.takeTrailers(fields);
  }

  /** Called when response bytes have left for the peer. */
  onSent(bytes: number): void {
    this.sentBytes += bytes;
    this.job.onSent(bytes);
  }

  /**
   * The transport's stream is over. @param reset true if it was cut off before both messages were complete
   */
  onTransportClosed(reset: boolean, code: number, byPeer: boolean): void {
    const { job } = this;
    const input = reset ? ExchangeInput.TransportReset : ExchangeInput.TransportComplete;
    if (this.step(input) === ExchangeEffect.Ignore) return;
    if (job.span !== null) job.span.ended();
    this.watcher?.forget(this);
    this.#count(reset, byPeer);
    job.tellFollower();
    // Both messages are complete, but the application may have answered before it has read the request. The
    // rest of the request still goes to it.
    if (!reset) return;
    job.dropContent();
    job.abandon(code, byPeer ? ResetBy.Peer : ResetBy.Server);
  }

  #count(reset: boolean, byPeer: boolean): void {
    const { outcomes, onEnded } = this.destination;
    const ending = reset ? (byPeer ? Outcome.ResetByPeer : Outcome.ResetByServer) : Outcome.Complete;
    const outcome = this.#outcome ?? ending;
    outcomes[outcome]++;
    if (onEnded !== undefined) onEnded(this, outcome);
  }

  // ---- ends that the server decides on

  /**
   * Does one step of the table and performs its effect.
   * @param outcome the outcome if the response is incomplete
   * @param status the status of a response by the server
   * @param code the error code of a reset
   */
  end(input: ExchangeInput, outcome: Outcome, status: number, code: number): ExchangeEffect {
    const effect = this.step(input);
    switch (effect) {
      case ExchangeEffect.Answer:
        this.#outcome ??= outcome;
        this.#writeAnswer(status);
        break;
      case ExchangeEffect.BreakOff:
        this.#outcome ??= outcome;
        this.transport.reset(this, code);
        break;
      case ExchangeEffect.StopReading:
        this.job.dropContent();
        this.transport.stopReading(this);
        break;
    }
    return effect;
  }

  /**
   * Ends the exchange where it is. The code tells the client whether it may safely send the request again,
   * which is the case if no application has begun it.
   */
  cutOff(): void {
    if (isOver(this.#progress)) return;
    const isUnbegun = this.destination.dispatcher?.withdraw(this.job) === true;
    this.end(ExchangeInput.Abort, Outcome.ResetByServer, 0, isUnbegun ? REFUSED_STREAM : CANCEL);
  }

  /** The peer has sent more than is allowed, and its head had announced less or no length. */
  #refuseContent(): void {
    const effect = this.end(ExchangeInput.GiveUp, Outcome.TooLarge, 413, CANCEL);
    if (effect !== ExchangeEffect.BreakOff) this.job.abandon(CANCEL, ResetBy.Server);
    this.transport.provoked?.(this);
  }

  /**
   * Its pool could not run the job.
   * @param noThreadForMs until there may be a thread; 0: there are threads
   */
  refuse(refusal: Refusal, noThreadForMs: number): void {
    if (this.step(ExchangeInput.Answer) !== ExchangeEffect.Answer) return;
    this.#outcome ??= REFUSALS[refusal];
    const seconds = Math.max(this.destination.retryAfterSeconds, Math.ceil(noThreadForMs / 1000));
    this.#writeAnswer(503, ['retry-after', String(seconds)]);
  }

  /** Responds with the status and its name, in the server's own words. */
  answer(status: number, fields?: readonly string[]): void {
    if (this.step(ExchangeInput.Answer) === ExchangeEffect.Answer) this.#writeAnswer(status, fields);
  }

  #writeAnswer(status: number, fields: readonly string[] = []): void {
    if (status >= 400) this.#outcome ??= Outcome.Refused;
    const { fields: described, content } = ownResponseOf(status, this.destination.explain);
    this.status = status;
    this.responseBytes = content.length;
    const isUnread = this.#progress === ExchangeState.Finishing;
    if (isUnread) this.job.dropContent();
    this.transport.respond(this, status, [...described, ...fields], false);
    this.transport.write(this, content, 0, content.length, true);
    if (isUnread) this.transport.stopReading(this);
  }
}
