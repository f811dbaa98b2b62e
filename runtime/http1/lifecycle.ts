/**
 * How requests and their connection begin and end: which requests are open, in which order they run, and what
 * happens to the others when one ends early. Every end of a request passes through here, so that `onClose` is
 * called once for each.
 */

import { CloseCode } from './errors.ts';
import type { ClosedBy, EngineEvents } from './events.ts';
import { Framing, type Http1Message, RequestPhase, ResponsePhase } from './message.ts';
import type { Http1Options } from './options.ts';
import { type Refusal, refusalMessage } from './refusal.ts';
import type { RequestReader } from './request-reader.ts';
import type { ResponseWriter } from './response-writer.ts';

/**
 *   open ─▶ closing      all responses are complete; the output must be written before the connection ends
 *     ├───▶ aborted      a response was broken off: the peer must not take it for complete
 *     ├───▶ left         a request has changed the connection to another protocol, and the owner has it
 *     └───▶ closed       the socket is gone
 */
export type EngineState = 'open' | 'closing' | 'aborted' | 'left' | 'closed';

/** Moves a head that the owner has given into the output, when the message is the first. */
export interface HeadSender {
  head(message: Http1Message, contentBytes: number): void;
}

export class Lifecycle {
  readonly #events: EngineEvents;
  readonly #options: Http1Options;
  readonly #writer: ResponseWriter;
  #reader: RequestReader | null = null;
  #sender: HeadSender | null = null;
  state: EngineState = 'open';
  /**
   * For `aborted`: the peer would take a FIN for the end of the response, so the connection must be reset.
   */
  mustReset = false;
  /** Requests that are not over, in the order of arrival. Requests that may not run yet are at the end. */
  readonly messages: Http1Message[] = [];
  /** How many of them, from the front, have begun. */
  #begunCount = 0;
  /** The request whose content is being read. */
  receiving: Http1Message | null = null;
  /** The request that is a tunnel or asks for one. */
  tunnel: Http1Message | null = null;
  /** `last`: no request is accepted after those that are open. */
  taking: 'all' | 'last' = 'all';
  /** The owner ends the connection behind the responses to the requests that have begun. */
  isEndAsked = false;
  /** Sent when the requests before it have been answered. */
  #refusal: Refusal | null = null;
  /** The method of the request that the refusal answers; empty if it answers none. */
  #refusedMethod = '';
  /** Content that the owner was given and has not consumed. */
  unconsumedBytes = 0;

  constructor(events: EngineEvents, options: Http1Options, writer: ResponseWriter) {
    this.#events = events;
    this.#options = options;
    this.#writer = writer;
  }

  attach(reader: RequestReader, sender: HeadSender): void {
    this.#reader = reader;
    this.#sender = sender;
  }

  get first(): Http1Message | undefined {
    return this.messages[0];
  }

  /** What was read is refused; the refusal is sent when its turn comes. */
  get isRefusing(): boolean {
    return this.#refusal !== null;
  }

  // ---- which requests run

  /**
   * Responses leave in the order of the requests, but only safe methods may run side by side (RFC 9112
   * section 9.3.2): a request may depend on what the one before it changes.
   */
  startNext(): void {
    const most = this.#options.maxParallelRequests;
    const messages = this.messages;
    while (this.#begunCount < messages.length) {
      const begun = this.#begunCount;
      const message = messages[begun] as Http1Message;
      if (begun > 0) {
        const isBesideSafe = (messages[begun - 1] as Http1Message).isSafe;
        if (!message.isSafe || !isBesideSafe || begun >= most) return;
      }
      message.isStarted = true;
      this.#begunCount++;
      // The owner may answer at once, which changes what runs.
      this.#events.onStart(message);
    }
  }

  /**
   * Starts the requests that may run now. Ends the connection when no request is left and none is accepted.
   */
  startOrEnd(): void {
    if (this.state !== 'open') return;
    if (this.messages.length > 0) {
      this.startNext();
      return;
    }
    if (this.taking === 'all') return;
    if (this.#refusal !== null) {
      this.#writer.text(refusalMessage(this.#refusal, this.#events.date(), this.#refusedMethod));
    }
    this.state = 'closing';
    this.stopReading();
  }

  // ---- what is read

  stopReading(): void {
    this.receiving = null;
    this.#reader?.stop();
  }

  /** Accepts no request after those that are open. */
  takeNoMore(): void {
    this.taking = 'last';
    if (this.receiving === null) this.stopReading();
  }

  /** As `takeNoMore`; accepted requests that have not begun do not begin either. */
  beginNoMore(): void {
    const lastBegun = this.messages[this.#begunCount - 1];
    if (lastBegun === undefined) this.takeNoMore();
    else this.cutBehind(lastBegun);
  }

  /** The request is complete. */
  received(message: Http1Message): void {
    message.request = RequestPhase.Ended;
    this.receiving = null;
    if (this.taking === 'last') this.stopReading();
  }

  /** The rest of the request is discarded from here on. */
  drop(message: Http1Message): void {
    this.#forgetContent(message);
    message.request = RequestPhase.Dropped;
  }

  /**
   * The rest of the request exceeds, or may exceed, what the engine discards: the response announces the end
   * of the connection.
   */
  isTooMuchToDiscard({ section, receivedBytes, discardedBytes }: Http1Message): boolean {
    const limit = this.#options.maxDiscardedBytes;
    return section.contentLength - receivedBytes > limit || discardedBytes > limit;
  }

  /**
   * Refuses what has arrived. Everything before it is answered first, then this refusal is sent and the
   * connection ends.
   */
  refuse(refusal: Refusal): void {
    const broken = this.receiving;
    this.taking = 'last';
    this.stopReading();
    if (this.state !== 'open') return;
    if (broken !== null) {
      // The refusal takes the place of this request's response. If the response has begun, the refusal can no
      // longer be sent.
      if (broken.response === ResponsePhase.Ended) {
        this.giveUp(broken, 'engine', CloseCode.ProtocolError);
        return;
      }
      if (broken.response !== ResponsePhase.Awaited) {
        this.breakOff(broken, 'engine', CloseCode.ProtocolError);
        return;
      }
      this.#remove(broken);
      this.#close(broken, 'engine', CloseCode.ProtocolError);
    }
    this.#events.onRefused(refusal);
    this.#refusal = refusal;
    this.#refusedMethod = broken?.method ?? '';
    this.startOrEnd();
  }

  // ---- the ends of messages

  /**
   * The response is in the output.
   * @returns whether the message is over
   */
  answered(message: Http1Message): boolean {
    switch (message.request) {
      case RequestPhase.Ended:
        this.over(message);
        return true;
      case RequestPhase.Open:
        // The owner may still read a request that it has answered.
        return false;
      case RequestPhase.Dropped:
        // Nothing is missing from a tunnel that was refused or that is not read.
        if (this.tunnel === message) {
          this.over(message);
          return true;
        }
        // The response has told the client that the connection persists, so the client may already have sent
        // the rest and its next request. The rest is discarded however long it is, for as long as the owner
        // waits for it.
        if (this.taking === 'last') this.giveUp(message, 'engine', CloseCode.Cancel);
        return false;
    }
  }

  /** Request and response are complete. */
  over(message: Http1Message): void {
    this.#remove(message);
    this.#close(message, 'complete', CloseCode.None);
    this.startOrEnd();
  }

  /** The request is answered, but the server does not wait for its rest: the connection ends. */
  giveUp(message: Http1Message, by: ClosedBy, code: number): void {
    this.taking = 'last';
    this.stopReading();
    this.#remove(message);
    this.#close(message, by, code);
    this.cutAll();
    this.startOrEnd();
  }

  /** The response will not be completed. Earlier responses leave first. */
  breakOff(message: Http1Message, by: ClosedBy, code: number): void {
    if (this.first === message) {
      // The owner may have given the head in this very turn; the peer should see that there was one.
      if (message.response === ResponsePhase.Given) this.#sender?.head(message, -1);
      this.abort(message, by, code);
      return;
    }
    message.isBroken = true;
    this.cutBehind(message);
    this.#close(message, by, code);
  }

  /** Breaks the connection in the middle of the first message's response, or where that would begin. */
  abort(message: Http1Message, by: ClosedBy, code: number): void {
    this.state = 'aborted';
    // A WebSocket ends with a Close, so the peer notices if it is missing. The bytes of a CONNECT tunnel have
    // no such mark.
    const isRawTunnel = message.framing === Framing.Tunnel && message.method === 'CONNECT';
    this.mustReset = isRawTunnel || message.framing === Framing.Connection;
    this.stopReading();
    this.#remove(message);
    this.#close(message, by, code);
    this.cutAll();
  }

  /** Requests after this one are not answered, and neither is input that could not be read. */
  cutBehind(message: Http1Message): void {
    this.taking = 'last';
    this.#refusal = null;
    if (this.receiving !== message) this.stopReading();
    const behind = this.messages.splice(this.messages.indexOf(message) + 1);
    this.#begunCount = Math.min(this.#begunCount, this.messages.length);
    for (const each of behind) this.#close(each, 'engine', CloseCode.Cancel);
  }

  cutAll(): void {
    this.receiving = null;
    this.#begunCount = 0;
    for (const message of this.messages.splice(0)) this.#close(message, 'engine', CloseCode.Cancel);
  }

  #remove(message: Http1Message): void {
    const index = this.messages[0] === message ? 0 : this.messages.indexOf(message);
    if (index === -1) return;
    if (index === 0) this.messages.shift();
    else this.messages.splice(index, 1);
    if (message.isStarted) this.#begunCount--;
  }

  #close(message: Http1Message, by: ClosedBy, code: number): void {
    if (message.isClosed) return;
    message.isClosed = true;
    this.#forgetContent(message);
    message.queue?.clear();
    this.#events.onClose(message, by, code);
  }

  #forgetContent(message: Http1Message): void {
    this.unconsumedBytes -= message.unconsumedBytes;
    message.unconsumedBytes = 0;
  }
}
