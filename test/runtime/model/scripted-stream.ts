/**
 * A transport with one stream, as strict as the HTTP/2 engine: it refuses what a protocol could not send, keeps the
 * peer within its window, and closes the stream when both messages are whole. What goes wrong throws.
 */
import { strict as assert } from 'node:assert';
import type { Exchange, Transport } from '../../../runtime/exchange/exchange.ts';

const FLOW_BYTES = 65_536;

/** Byte `position` of a body: another pattern for each exchange and direction. */
export function patternAt(seed: number, position: number): number {
  return (seed * 37 + position * 11 + (position >> 8)) & 0xff;
}

export function pattern(seed: number, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = patternAt(seed, from + i);
  return bytes;
}

export class ScriptedStream implements Transport {
  exchange!: Exchange;
  readonly id: number;
  /** Bytes leave as they are written, or when the test drains them. */
  readonly eager: boolean;
  readonly peerWindowBytes: number;

  request: 'open' | 'ended' | 'dropped';
  response: 'none' | 'head' | 'ended' = 'none';
  closed: 'no' | 'complete' | 'reset' = 'no';
  resetCode = -1;
  resetByPeer = false;
  status = 0;
  readonly informs: number[] = [];
  trailersSent: readonly string[] | null = null;

  receivedBytes = 0;
  consumedBytes = 0;
  /** What the application never consumed, given back to the connection when the stream closed or was dropped. */
  givenBackBytes = 0;
  writtenBytes = 0;
  sentBytes = 0;

  constructor(id: number, eager: boolean, requestEnded: boolean, peerWindowBytes: number) {
    this.id = id;
    this.eager = eager;
    this.peerWindowBytes = peerWindowBytes;
    this.request = requestEnded ? 'ended' : 'open';
  }

  // ---- the peer

  get windowBytes(): number {
    return this.peerWindowBytes - (this.receivedBytes - this.consumedBytes - this.givenBackBytes);
  }

  /** Sends so many bytes, or what the window allows. False: it had nothing to send. */
  peerData(bytes: number, last: boolean): boolean {
    if (this.closed !== 'no' || this.request === 'ended') return false;
    if (this.request === 'dropped') {
      if (last) this.request = 'ended';
      return false;
    }
    const length = Math.min(bytes, this.windowBytes);
    if (length === 0 && !last) return false;
    const whole = Buffer.concat([
      Buffer.from('<<'),
      pattern(this.id, this.receivedBytes, length),
      Buffer.from('>>'),
    ]);
    this.receivedBytes += length;
    if (last) this.request = 'ended';
    this.exchange.onRequestData(whole, 2, 2 + length, last);
    // The socket's buffer is used again at once.
    whole.fill(0xee);
    this.#closeWhenWhole();
    return true;
  }

  peerTrailers(): void {
    if (this.closed !== 'no' || this.request !== 'open') return;
    this.request = 'ended';
    this.exchange.onRequestTrailers(['checksum', String(this.receivedBytes)]);
    this.#closeWhenWhole();
  }

  peerReset(code: number): void {
    if (this.closed !== 'no') return;
    this.resetByPeer = true;
    this.#close('reset', code);
  }

  /** The socket takes so many bytes of the response. */
  drain(bytes: number): void {
    if (this.closed !== 'no') return;
    const sent = Math.min(bytes, this.writtenBytes - this.sentBytes);
    if (sent > 0) {
      this.sentBytes += sent;
      this.exchange.onSent(sent);
    }
    this.#closeWhenWhole();
  }

  #closeWhenWhole(): void {
    if (this.response !== 'ended' || this.sentBytes < this.writtenBytes || this.request === 'open') return;
    this.#close('complete', 0);
  }

  #close(how: 'complete' | 'reset', code: number): void {
    if (this.closed !== 'no') return;
    this.closed = how;
    this.resetCode = code;
    this.givenBackBytes = this.receivedBytes - this.consumedBytes;
    this.exchange.onTransportClosed(how === 'reset', code, this.resetByPeer);
  }

  // ---- Transport

  inform(_exchange: Exchange, status: number): void {
    assert.equal(this.response, 'none', 'an interim response after the head');
    this.informs.push(status);
  }

  respond(_exchange: Exchange, status: number, _fields: string[], end: boolean): void {
    if (this.closed !== 'no') return;
    assert.equal(this.response, 'none', 'a second head');
    this.status = status;
    this.response = end ? 'ended' : 'head';
    this.#closeWhenWhole();
  }

  accept(): void {
    assert.fail('no exchange of the model asks for a tunnel');
  }

  write(_exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    if (this.closed !== 'no') return;
    assert.equal(this.response, 'head', 'content before the head or after the end');
    for (let i = start; i < end && this.status === 200; i++) {
      assert.equal(bytes[i], patternAt(~this.id, this.writtenBytes + i - start), 'response bytes in order');
    }
    this.writtenBytes += end - start;
    if (this.status === 200) {
      assert.ok(this.writtenBytes - this.sentBytes <= FLOW_BYTES, 'more waits than any window');
    }
    if (last) this.response = 'ended';
    if (this.eager) this.drain(end - start);
    this.#closeWhenWhole();
  }

  trailers(_exchange: Exchange, fields: readonly string[]): void {
    if (this.closed !== 'no') return;
    assert.equal(this.response, 'head', 'trailers before the head or after the end');
    this.trailersSent = fields;
    this.response = 'ended';
    this.#closeWhenWhole();
  }

  reset(_exchange: Exchange, code: number): void {
    if (this.closed === 'no') this.#close('reset', code);
  }

  consume(_exchange: Exchange, bytes: number): void {
    if (this.closed !== 'no' || this.request === 'dropped') return;
    this.consumedBytes += bytes;
    assert.ok(this.consumedBytes <= this.receivedBytes, 'more consumed than came');
  }

  letsContentCome(): boolean {
    return this.windowBytes > 0;
  }

  takenBytes(): number {
    return this.sentBytes < this.writtenBytes ? this.sentBytes : -1;
  }

  fail(_exchange: Exchange, error: unknown): void {
    throw error;
  }

  stopReading(): void {
    if (this.closed !== 'no' || this.request !== 'open') return;
    this.givenBackBytes = this.receivedBytes - this.consumedBytes;
    this.request = 'dropped';
    this.#closeWhenWhole();
  }
}
