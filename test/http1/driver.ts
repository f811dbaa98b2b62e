/** An engine whose owner records its events, and answers when a test says so. */
import { OutputBuffers } from '../../runtime/bytes/output-buffers.ts';
import { Http1Caches } from '../../runtime/http1/caches.ts';
import { Http1Engine } from '../../runtime/http1/engine.ts';
import type { ClosedBy, EngineEvents, UpgradeVerdict } from '../../runtime/http1/events.ts';
import type { Http1Message } from '../../runtime/http1/message.ts';
import type { Http1Options } from '../../runtime/http1/options.ts';
import type { Refusal } from '../../runtime/http1/refusal.ts';
import { passing } from '../bytes/passing.ts';

export const DATE = 'Thu, 01 Jan 1970 00:00:00 GMT';

export const defaults: Http1Options = {
  maxTargetBytes: 8_192,
  maxHeaderBytes: 16_384,
  maxFieldLines: 128,
  maxRequestsPerConnection: 100_000,
  maxPipelinedRequests: 128,
  maxParallelRequests: 32,
  smallChunks: { burst: 262_144, perSecond: 16_384 },
  maxDiscardedBytes: 262_144,
  discardTimeoutMs: 5_000,
  keepAliveTimeoutMs: 5_000,
  halfCloseTimeoutMs: 1_000,
  upgradeH2c: true,
  headerTimeoutMs: 10_000,
  requestWindowBytes: 131_072,
  maxRequestWindowBytes: 4_194_304,
  outputLimitBytes: 262_144,
};

export class Driver implements EngineEvents {
  readonly buffers = new OutputBuffers();
  readonly engine: Http1Engine;
  /** The events of the engine, one line each. */
  readonly events: string[] = [];
  /** The accepted requests, in order. */
  readonly messages: Http1Message[] = [];
  /** The statuses with which the engine has refused. */
  readonly refused: number[] = [];
  sentBytes = 0;
  verdict: UpgradeVerdict = 0;
  refusal: Refusal | null = null;
  onStarted: (message: Http1Message) => void = () => {};

  dateText = DATE;

  constructor(options: Partial<Http1Options> = {}, caches = new Http1Caches()) {
    this.engine = new Http1Engine(this, { ...defaults, ...options }, this.buffers, caches);
  }

  receive(text: string): void {
    passing(Buffer.from(text, 'latin1'), (chunk) => this.engine.receive(chunk));
  }

  /** A complete response with this content. */
  answer(message: Http1Message, content: string, fields: readonly string[] = []): void {
    this.engine.respond(message, 200, fields, content === '');
    const bytes = Buffer.from(content, 'latin1');
    if (content !== '') this.engine.write(message, bytes, 0, bytes.length, true);
  }

  write(message: Http1Message, content: string, last = false): void {
    const bytes = Buffer.from(content, 'latin1');
    this.engine.write(message, bytes, 0, bytes.length, last);
  }

  /** The output of a turn. The socket takes all of it. */
  output(): string {
    this.engine.endTurn();
    let text = '';
    for (let chunk = this.engine.takeOutput(); chunk !== null; chunk = this.engine.takeOutput()) {
      text += chunk.buffer.toString('latin1', 0, chunk.length);
      this.engine.sent(chunk.length);
      this.buffers.release(chunk);
    }
    return text;
  }

  #index(message: Http1Message): number {
    return this.messages.indexOf(message);
  }

  date(): string {
    return this.dateText;
  }

  onUpgrade(message: Http1Message): UpgradeVerdict {
    this.events.push(`upgrade ${message.section.upgrade?.protocols}`);
    return this.verdict;
  }

  onRequest(message: Http1Message): Refusal | null {
    if (this.refusal !== null) return this.refusal;
    this.messages.push(message);
    this.events.push(`request ${this.#index(message)} ${message.method} ${message.path}`);
    return null;
  }

  onStart(message: Http1Message): void {
    this.events.push(`start ${this.#index(message)}`);
    this.onStarted(message);
  }

  onData(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const text = Buffer.from(bytes).toString('latin1', start, end);
    this.events.push(`data ${this.#index(message)} ${JSON.stringify(text)}${last ? ' last' : ''}`);
  }

  onTrailers(message: Http1Message, fields: string[]): void {
    this.events.push(`trailers ${this.#index(message)} ${fields.join()}`);
  }

  onSent(_message: Http1Message, bytes: number): void {
    this.sentBytes += bytes;
  }

  onRefused({ status }: Refusal): void {
    this.refused.push(status);
  }

  onClose(message: Http1Message, by: ClosedBy, code: number): void {
    this.events.push(`close ${this.#index(message)} ${by} ${code}`);
  }
}
