/**
 * Turns what the reader finds into requests, if the connection accepts them, and their content into events.
 */
import { type EngineEvents, UpgradeVerdict } from './events.ts';
import type { FieldSection, Version } from './field-section.ts';
import type { Lifecycle } from './lifecycle.ts';
import { Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from './message.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import type { RequestSink } from './request-reader.ts';
import type { Target } from './target.ts';

const NO_BYTES = new Uint8Array(0);

export class Receiver implements RequestSink {
  readonly #events: EngineEvents;
  readonly #options: Http1Options;
  readonly #lifecycle: Lifecycle;
  /** Requests that have been accepted. */
  requestCount = 0;

  constructor(events: EngineEvents, options: Http1Options, lifecycle: Lifecycle) {
    this.#events = events;
    this.#options = options;
    this.#lifecycle = lifecycle;
  }

  onHead(method: string, target: Target, version: Version, section: FieldSection): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.taking === 'last') {
      // RFC 9112 section 9.6: no request is accepted after the last one.
      lifecycle.stopReading();
      return;
    }
    const message = new Http1Message(method, target, version, section);
    const refusal = this.#judge(message);
    if (refusal !== null) {
      lifecycle.refuse(refusal);
      return;
    }
    if (lifecycle.state === 'left') return;
    this.requestCount++;
    lifecycle.messages.push(message);
    if (message.tunnel === TunnelPhase.Asked) {
      // Each side of the tunnel ends independently, and the bytes that follow are not HTTP.
      message.request = RequestPhase.Open;
      lifecycle.tunnel = message;
      lifecycle.takeNoMore();
    } else {
      if (message.request === RequestPhase.Open) lifecycle.receiving = message;
      const { maxRequestsPerConnection, maxPipelinedRequests } = this.#options;
      const isLast =
        !section.persists ||
        this.requestCount >= maxRequestsPerConnection ||
        lifecycle.messages.length >= maxPipelinedRequests;
      if (isLast) lifecycle.takeNoMore();
    }
    lifecycle.startNext();
  }

  /**
   * @returns why the request is refused; null: it is accepted, unless the connection has left HTTP/1.1 with
   * it
   */
  #judge(message: Http1Message): Refusal | null {
    const lifecycle = this.#lifecycle;
    const { section } = message;
    const isAlone = lifecycle.messages.length === 0;
    if (message.method === 'CONNECT') {
      // RFC 9110 section 9.3.6: CONNECT has no content, and what follows belongs to the tunnel.
      if (section.announcesContent) return { status: 400, why: 'CONNECT has no content' };
      // Its response would have to wait for the earlier ones, while the connection has already left HTTP.
      if (!isAlone) return { status: 501, why: 'CONNECT must not follow requests that are not answered yet' };
      message.tunnel = TunnelPhase.Asked;
    } else if (section.upgrade !== null && isAlone) {
      const verdict = this.#events.onUpgrade(message);
      if (verdict === UpgradeVerdict.Leave) {
        lifecycle.state = 'left';
        lifecycle.stopReading();
        return null;
      }
      if (verdict === UpgradeVerdict.Tunnel) message.tunnel = TunnelPhase.Asked;
    }
    return this.#events.onRequest(message);
  }

  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const lifecycle = this.#lifecycle;
    const message = lifecycle.receiving;
    if (message === null) return;
    const count = end - start;
    message.receivedBytes += count;
    const isWanted = message.request === RequestPhase.Open;
    if (last) lifecycle.received(message);
    if (isWanted) {
      message.unconsumedBytes += count;
      lifecycle.unconsumedBytes += count;
      this.#events.onData(message, bytes, start, end, last);
    } else {
      message.discardedBytes += count;
    }
    if (last) this.#ended(message);
  }

  onTrailers(fields: string[]): void {
    const message = this.#lifecycle.receiving;
    if (message === null) return;
    const isWanted = message.request === RequestPhase.Open;
    this.#lifecycle.received(message);
    if (isWanted) this.#events.onTrailers(message, fields);
    this.#ended(message);
  }

  #ended(message: Http1Message): void {
    if (message.response === ResponsePhase.Ended && !message.isClosed) this.#lifecycle.over(message);
  }

  onReadFault(refusal: Refusal): void {
    this.#lifecycle.refuse(refusal);
  }

  // ---- a tunnel

  /** Passes on bytes of a tunnel, from `at` on. */
  onTunnelled(message: Http1Message, chunk: Uint8Array, at: number): void {
    const count = chunk.length - at;
    if (count <= 0 || message.isClosed || message.request !== RequestPhase.Open) return;
    message.unconsumedBytes += count;
    this.#lifecycle.unconsumedBytes += count;
    this.#events.onData(message, chunk, at, chunk.length, false);
  }

  /** The peer has ended its half. */
  onTunnelEnd(message: Http1Message): void {
    if (message.isClosed || message.request !== RequestPhase.Open) return;
    message.request = RequestPhase.Ended;
    this.#events.onData(message, NO_BYTES, 0, 0, true);
    this.#ended(message);
  }
}
