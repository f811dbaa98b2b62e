/**
 * An exchange that asks for a WebSocket, without a server: the test feeds, holds up and cuts off its tunnel.
 */
import { ReceivedFields } from '../../workers/fields/received.ts';
import type { Closed, Exchange, FieldsInit, Tunnel } from '../../workers/gateway.ts';
import type { Timers } from '../../workers/websocket/keep-alive.ts';
import { KEY } from './byte-streams.ts';

/** Time that passes only when the test advances it. */
export class ManualTimers implements Timers {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { atMs: this.#nowMs + ms, callback };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((known) => known !== timer);
  }

  get pending(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#nowMs = due.atMs;
      this.clearTimeout(due);
      due.callback();
    }
    this.#nowMs = untilMs;
  }
}

export class MemoryTunnel implements Tunnel, AsyncIterator<Uint8Array, undefined> {
  /** What was written, chunk by chunk. */
  readonly written: Buffer[] = [];
  state: 'open' | 'ended' | 'reset' = 'open';
  /** How often the reader has requested more. */
  pulls = 0;
  isHeld = false;
  #held: (() => void)[] = [];
  #chunks: Uint8Array[] = [];
  #readState: 'open' | 'ended' | 'cut' = 'open';
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | null = null;
  #atReturn: ((failed: boolean) => Promise<void>) | null = null;
  readonly #onOver: () => void;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  readonly read: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => this };

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.pulls++;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve({ value: chunk, done: false });
    if (this.#readState === 'ended') return Promise.resolve({ value: undefined, done: true });
    if (this.#readState === 'cut') return Promise.reject(new Error('cut'));
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** The peer sends. */
  feed(...bytes: Uint8Array[]): void {
    const chunk = Buffer.concat(bytes);
    if (this.#reader === null) this.#chunks.push(chunk);
    else this.#reader.resolve({ value: chunk, done: false });
    this.#reader = null;
  }

  /** The peer ends its side. */
  feedEnd(): void {
    this.#readState = 'ended';
    this.#reader?.resolve({ value: undefined, done: true });
    this.#reader = null;
  }

  /** The peer resets, or the server does. */
  cut(): void {
    this.#readState = 'cut';
    this.state = 'reset';
    this.#reader?.reject(new Error('cut'));
    this.#reader = null;
    this.release();
    this.#onOver();
  }

  get writableBytes(): number {
    return this.isHeld ? 0 : 65_536;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.state !== 'open') throw new Error(`the tunnel is ${this.state}`);
    this.written.push(Buffer.from(chunk));
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  /** The peer reads again. */
  release(): void {
    this.isHeld = false;
    for (const resolve of this.#held.splice(0)) resolve();
  }

  end(): void {
    if (this.state !== 'open') throw new Error(`the tunnel is ${this.state}`);
    this.state = 'ended';
  }

  reset(): void {
    this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.state === 'open') this.reset();
  }

  atReturn(handler: (failed: boolean) => Promise<void>): void {
    this.#atReturn = handler;
  }

  returned(failed: boolean): Promise<void> {
    return this.#atReturn?.(failed) ?? Promise.resolve();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }
}

export class HandshakeExchange {
  readonly timers = new ManualTimers();
  readonly tunnel: MemoryTunnel;
  readonly drain = new AbortController();
  /** The response that accepted or refused the handshake. */
  answer: { status: number; fields: Map<string, string>; body: string } | null = null;
  readonly exchange: Exchange;

  /** @param fields are added to those of a valid handshake or replace them; null removes one. */
  constructor(fields: { readonly [name: string]: string | readonly string[] | null } = {}, more = {}) {
    const closed = Promise.withResolvers<Closed>();
    this.tunnel = new MemoryTunnel(() => closed.resolve({ by: 'peer', how: 'reset', code: 8 }));
    const all = { 'sec-websocket-version': '13', 'sec-websocket-key': KEY, ...fields };
    const flat = Object.entries(all).flatMap(([name, value]) =>
      value === null ? [] : [value].flat().flatMap((one) => [name, one]),
    );
    const request = {
      method: 'GET',
      scheme: 'http',
      authority: 'example.org:8080',
      path: '/',
      protocol: 'websocket',
      version: '1.1',
      remote: { address: '', port: 0 },
      tls: null,
      priority: { urgency: 3, incremental: false },
      fields: new ReceivedFields(flat),
      ...more,
    };
    const accept = (init: FieldsInit = {}): Tunnel => {
      this.answer = { status: 101, fields: new Map(init as Iterable<[string, string]>), body: '' };
      return this.tunnel;
    };
    const respond = (status: number, init: FieldsInit, body = ''): void => {
      const pairs = Symbol.iterator in init ? init : Object.entries(init);
      this.answer = { status, fields: new Map(pairs as Iterable<[string, string]>), body };
    };
    const partial: Partial<Exchange> = {
      request,
      accept,
      respond: respond as Exchange['respond'],
      draining: this.drain.signal,
      closed: closed.promise,
    };
    this.exchange = partial as Exchange;
  }
}

/** A frame from a client, masked with zeros (RFC 6455 section 5.2). */
export function frame(
  opcode: number,
  payload: Uint8Array | string = '',
  { fin = true, rsv1 = false } = {},
): Buffer {
  const content = Buffer.from(payload);
  const length = content.length;
  const head = Buffer.alloc(length < 126 ? 6 : 8);
  head[0] = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode;
  head[1] = 0x80 | Math.min(length, 126);
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, content]);
}

export const text = (content: string): Buffer => frame(1, content);

export function close(code?: number, reason = ''): Buffer {
  if (code === undefined) return frame(8);
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame(8, payload);
}

/** Waits until pending promises have settled and callbacks for the next turn of the loop have run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
