/**
 * Sends responses, each in its turn. What may leave now goes into the output at once; the rest waits with its
 * message.
 */
import type { OutputBuffers } from '../bytes/output-buffers.ts';
import { SendQueue } from '../bytes/send-queue.ts';
import { CloseCode, EngineMisuseError } from './errors.ts';
import type { EngineEvents } from './events.ts';
import { CHUNKED } from './field-section.ts';
import type { Lifecycle } from './lifecycle.ts';
import { Framing, type Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from './message.ts';
import type { Http1Options } from './options.ts';
import { CONTINUE, interimMessage, type ResponseWriter } from './response-writer.ts';

const REQUEST_TIMEOUT = 408;
/** With more output than this waiting, interim responses other than 100 are left out. */
const MAX_WAITING_INTERIM_BYTES = 65_536;

export class Sender {
  readonly #events: EngineEvents;
  readonly #options: Http1Options;
  readonly #lifecycle: Lifecycle;
  readonly #writer: ResponseWriter;
  readonly #buffers: OutputBuffers;
  #isPumping = false;

  constructor(
    events: EngineEvents,
    options: Http1Options,
    lifecycle: Lifecycle,
    writer: ResponseWriter,
    buffers: OutputBuffers,
  ) {
    this.#events = events;
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#writer = writer;
    this.#buffers = buffers;
  }

  get isFull(): boolean {
    return this.#writer.output.unsentBytes >= this.#options.outputLimitBytes;
  }

  /** True if `endTurn` would move output. */
  get canPump(): boolean {
    const { first } = this.#lifecycle;
    if (first === undefined || this.isFull) return false;
    if (first.isBroken || first.interim !== '' || first.queuedBytes > 0) return true;
    return (
      first.response === ResponsePhase.Given || (first.response === ResponsePhase.Started && first.isEnding)
    );
  }

  inform(message: Http1Message, status: number, fields: readonly string[]): void {
    // RFC 9110 section 15.2: an HTTP/1.0 client must not be sent an interim response.
    if (message.isClosed || message.version === '1.0' || message.response !== ResponsePhase.Awaited) return;
    // A client that waits for its tunnel has no use for interim responses, and they may be left out.
    if (message.tunnel !== TunnelPhase.None) return;
    if (status === 100) {
      // Once is enough: both the application and its first read of the content cause a 100.
      if (message.isInvited) return;
      message.isInvited = true;
    }
    const text = interimMessage(status, fields);
    const isFirst = this.#lifecycle.first === message;
    const waitingBytes = isFirst ? this.#writer.output.unsentBytes : message.interim.length;
    // A client that does not read must not make the server hold interim responses.
    if (status !== 100 && waitingBytes + text.length > MAX_WAITING_INTERIM_BYTES) return;
    if (isFirst) this.#writer.text(text);
    else message.interim += text;
  }

  respond(
    message: Http1Message,
    status: number,
    fields: readonly string[],
    end: boolean,
    added: readonly string[],
  ): void {
    if (message.isClosed) return;
    if (message.response !== ResponsePhase.Awaited)
      throw new EngineMisuseError('one head', 'got a second one');
    message.response = ResponsePhase.Given;
    message.status = status;
    message.fields = fields;
    message.addedFields = added;
    message.isEnding = end;
    // The tunnel is refused. The connection stays HTTP for this one response, and the bytes that the peer has
    // sent after its request are dropped.
    if (message.tunnel === TunnelPhase.Asked) this.#lifecycle.drop(message);
    if (end) this.pump();
  }

  accept(message: Http1Message, protocol: string, fields: readonly string[]): void {
    if (message.isClosed) return;
    if (message.tunnel !== TunnelPhase.Asked || message.response !== ResponsePhase.Awaited)
      throw new EngineMisuseError('a request that asks for a tunnel', 'got one that does not');
    message.tunnel = TunnelPhase.Open;
    message.response = ResponsePhase.Started;
    message.fields = fields;
    // RFC 9110 section 7.8: 100 comes before 101.
    if (protocol !== '' && message.section.awaitsInvitation) this.#writer.text(CONTINUE);
    this.#writer.tunnelHead(message, protocol);
  }

  write(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    if (message.isClosed) return;
    if (message.response === ResponsePhase.Awaited || message.isEnding)
      throw new EngineMisuseError('content between head and end', 'got it before or after');
    if (last) message.isEnding = true;
    const count = end - start;
    if (this.#lifecycle.first !== message || message.queuedBytes > 0 || this.isFull) {
      if (count > 0) {
        message.queue ??= new SendQueue(this.#buffers);
        message.queue.push(bytes, start, end);
      }
    } else {
      if (message.response === ResponsePhase.Given) this.head(message, last ? count : -1);
      if (count > 0) {
        if (!this.#fitsLength(message, count)) return;
        this.#writer.content(message, bytes, start, end);
        this.#events.onSent(message, count);
      }
    }
    if (last) this.pump();
  }

  trailers(message: Http1Message, fields: readonly string[]): void {
    if (message.isClosed) return;
    if (message.response === ResponsePhase.Awaited || message.isEnding)
      throw new EngineMisuseError('trailers between head and end', 'got them before or after');
    // With trailers to come, the head can only declare chunked content.
    if (message.response === ResponsePhase.Given && this.#lifecycle.first === message) this.head(message, -1);
    message.trailers = fields;
    message.isEnding = true;
    this.pump();
  }

  /**
   * Puts the head of the first message into the output.
   * @param contentBytes the length of all its content; -1: not known yet
   */
  head(message: Http1Message, contentBytes: number): void {
    const closes = this.#closesBehind(message);
    this.#writer.head(message, contentBytes, closes, this.#events.date());
    message.response = ResponsePhase.Started;
    if (closes || message.framing === Framing.Connection) this.#lifecycle.cutBehind(message);
  }

  #closesBehind(message: Http1Message): boolean {
    const lifecycle = this.#lifecycle;
    if (message.tunnel !== TunnelPhase.None) return true;
    if (message.request !== RequestPhase.Ended) {
      // The rest of chunked content has an unknown length. If the client is told that the connection
      // persists, and the server then does not wait for that rest, the client loses its next request.
      if (message.request === RequestPhase.Dropped) {
        if (message.section.contentLength === CHUNKED || lifecycle.isTooMuchToDiscard(message)) return true;
      }
      // Nothing more is expected after a request that did not arrive in full (RFC 9110 section 15.5.9).
      if (message.status === REQUEST_TIMEOUT) return true;
      // The client holds its content back, or has begun to send it: the server cannot tell (RFC 9110 section
      // 10.1.1).
      if (message.section.awaitsInvitation && !message.isInvited) return true;
    }
    return lifecycle.taking === 'last' && !lifecycle.isRefusing && lifecycle.messages.at(-1) === message;
  }

  /** Counts content against the declared length. The peer would take excess content for the next response. */
  #fitsLength(message: Http1Message, count: number): boolean {
    if (message.framing !== Framing.Length) return true;
    message.declaredBytesLeft -= count;
    if (message.declaredBytesLeft >= 0) return true;
    this.#lifecycle.abort(message, 'engine', CloseCode.Cancel);
    return false;
  }

  /** A head that still waits for content leaves without it. */
  endTurn(): void {
    this.pump();
    const { first } = this.#lifecycle;
    if (first !== undefined && first.response === ResponsePhase.Given && !this.isFull) this.head(first, -1);
  }

  /** Moves waiting responses into the output, in the order of the requests, as far as there is room. */
  pump(): void {
    // A call from within one of its own events is ignored: the running loop continues anyway.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#pumpFirst());
    } finally {
      this.#isPumping = false;
    }
  }

  /** @returns whether there may be a new first message to continue with */
  #pumpFirst(): boolean {
    const lifecycle = this.#lifecycle;
    const message = lifecycle.first;
    // Heads wait for room as content does: a peer can ask for any number of responses without content.
    if (message === undefined || lifecycle.state !== 'open' || this.isFull) return false;
    if (message.isBroken) {
      lifecycle.abort(message, 'engine', CloseCode.Cancel);
      return false;
    }
    if (message.interim !== '') {
      this.#writer.text(message.interim);
      message.interim = '';
    }
    if (message.response === ResponsePhase.Given && (message.isEnding || message.queuedBytes > 0)) {
      this.head(message, message.isEnding && message.trailers === null ? message.queuedBytes : -1);
    }
    if (message.response !== ResponsePhase.Started || !this.#moveQueue(message) || !message.isEnding)
      return false;
    if (message.framing === Framing.Length && message.declaredBytesLeft > 0) {
      lifecycle.abort(message, 'engine', CloseCode.Cancel);
      return false;
    }
    this.#writer.end(message);
    message.response = ResponsePhase.Ended;
    return lifecycle.answered(message);
  }

  /** @returns whether the message's queue is empty */
  #moveQueue(message: Http1Message): boolean {
    const queue = message.queue;
    if (queue === null) return true;
    while (queue.bytes > 0) {
      if (this.isFull) return false;
      const before = queue.bytes;
      if (message.framing === Framing.Length && before > message.declaredBytesLeft)
        return this.#fitsLength(message, before);
      const count = this.#writer.queued(message, queue);
      message.declaredBytesLeft -= count;
      this.#events.onSent(message, count);
      if (message.isClosed) return false;
    }
    return true;
  }
}
