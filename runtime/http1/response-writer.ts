/** Writes responses into the output (RFC 9112 sections 4, 6 and 7): heads, framed content, trailers. */

import { plainName } from '../../wire/field-marks.ts';
import { putLatin1, writeLatin1 } from '../bytes/latin1.ts';
import { copyBytes, type OutputBuffers, type OutputChunk } from '../bytes/output-buffers.ts';
import { OutputQueue } from '../bytes/output-queue.ts';
import type { SendQueue } from '../bytes/send-queue.ts';
import { Framing, type Http1Message } from './message.ts';
import { reasonOf } from './reasons.ts';
import { ENDS, type ResponseHeads } from './response-heads.ts';

/** The framing of one chunk: eight digits and two line ends. */
const CHUNK_FRAMING_BYTES = 12;
const END_OF_LINE = '\r\n';
/** The bytes of a field line in addition to name and value. */
const FIELD_LINE_BYTES = 4;
const COLON = 0x3a;
const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

export class ResponseWriter {
  readonly #output: OutputQueue;
  readonly #heads: ResponseHeads;
  readonly #keepAliveSeconds: number;

  constructor(buffers: OutputBuffers, heads: ResponseHeads, keepAliveTimeoutMs: number) {
    this.#heads = heads;
    this.#output = new OutputQueue(buffers, CHUNK_FRAMING_BYTES);
    this.#keepAliveSeconds = Math.floor(keepAliveTimeoutMs / 1_000);
  }

  get output(): OutputQueue {
    return this.#output;
  }

  text(text: string): void {
    const chunk = this.#output.reserve(text.length);
    writeLatin1(chunk.buffer, chunk.length, text);
    this.#output.commit(chunk, text.length);
  }

  /**
   * Writes the head of the message's response and decides its framing.
   * @param contentBytes the length of all its content; -1: not known yet
   * @param closes the connection ends after the response
   * @param date for the Date field, unless the fields contain one (RFC 9110 section 6.6.1)
   */
  head(message: Http1Message, contentBytes: number, closes: boolean, date: string): void {
    const keptForSeconds = closes ? ENDS : this.#keepAliveSeconds;
    const kept = this.#heads.find(message, contentBytes, keptForSeconds, date);
    if (kept !== null) {
      message.framing = kept.framing;
      message.declaredBytesLeft = kept.declaredBytes;
      this.#keptHead(kept.bytes, message.addedFields);
      return;
    }
    const text = headText(message, contentBytes, keptForSeconds, date);
    this.#heads.keep(message, contentBytes, keptForSeconds, date, text);
    this.text(withLines(text, message.addedFields));
  }

  #keptHead(bytes: Buffer, added: readonly string[]): void {
    let addedBytes = 0;
    for (let i = 0; i < added.length; i += 2)
      addedBytes += (added[i] as string).length + (added[i + 1] as string).length + FIELD_LINE_BYTES;
    const chunk = this.#output.reserve(bytes.length + addedBytes);
    const { buffer } = chunk;
    // Without the empty line, which follows the lines that are added.
    const end = bytes.length - END_OF_LINE.length;
    copyBytes(buffer, chunk.length, bytes, 0, end);
    let at = chunk.length + end;
    for (let i = 0; i < added.length; i += 2)
      at = putFieldLine(buffer, at, added[i] as string, added[i + 1] as string);
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#output.commit(chunk, at - chunk.length);
  }

  /**
   * Writes the response that opens a tunnel (RFC 9110 sections 9.3.6 and 15.2.2).
   * @param protocol empty for CONNECT
   */
  tunnelHead(message: Http1Message, protocol: string): void {
    let text =
      protocol === '' ? statusLine(200) : `${statusLine(101)}connection: Upgrade\r\nupgrade: ${protocol}\r\n`;
    const { fields } = message;
    for (let i = 0; i < fields.length; i += 2) text += `${plainName(fields[i])}: ${fields[i + 1]}\r\n`;
    message.framing = Framing.Tunnel;
    this.text(`${text}\r\n`);
  }

  /** Writes content bytes[start,end) in the message's framing. */
  content({ framing }: Http1Message, bytes: Uint8Array, start: number, end: number): void {
    if (framing === Framing.None) return;
    while (start < end) {
      const count = Math.min(end - start, this.#output.dataRoom);
      const chunk = this.#piece(framing, count);
      copyBytes(chunk.buffer, offsetOf(chunk, framing, count), bytes, start, start + count);
      start += count;
    }
  }

  /**
   * Moves one piece of content from the message's queue, which must not be empty.
   * @returns its length
   */
  queued({ framing }: Http1Message, queue: SendQueue): number {
    const bytes = queue.bytes;
    if (framing === Framing.None) {
      queue.clear();
      return bytes;
    }
    const count = Math.min(bytes, this.#output.dataRoom);
    const chunk = this.#piece(framing, count);
    queue.moveTo(chunk.buffer, offsetOf(chunk, framing, count), count);
    return count;
  }

  /** Writes what follows the content. */
  end({ framing, trailers }: Http1Message): void {
    if (framing !== Framing.Chunked) return;
    let text = '0\r\n';
    if (trailers !== null) {
      for (let i = 0; i < trailers.length; i += 2)
        text += `${plainName(trailers[i])}: ${trailers[i + 1]}\r\n`;
    }
    this.text(`${text}\r\n`);
  }

  /** Makes room for this much content and its framing. */
  #piece(framing: Framing, count: number): OutputChunk {
    if (framing !== Framing.Chunked) {
      const chunk = this.#output.reserve(count);
      this.#output.commit(chunk, count);
      return chunk;
    }
    const chunk = this.#output.reserve(count + CHUNK_FRAMING_BYTES);
    const buffer = chunk.buffer;
    let at = chunk.length;
    for (let shift = 28 - (Math.clz32(count) & ~3); shift >= 0; shift -= 4) {
      buffer[at++] = HEX[(count >>> shift) & 15] as number;
    }
    buffer[at++] = CR;
    buffer[at++] = LF;
    at += count;
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#output.commit(chunk, at - chunk.length);
    return chunk;
  }
}

/** Writes a head, and decides the framing of the message's response. */
function headText(message: Http1Message, contentBytes: number, keptForSeconds: number, date: string): string {
  const { status, fields, version, method } = message;
  let text = statusLine(status);
  let length = -1;
  let hasDate = false;
  const mayHaveContent = method !== 'HEAD' && status !== 204 && status !== 304;
  let trailer = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = plainName(fields[i] as string);
    const value = fields[i + 1] as string;
    switch (name) {
      case 'content-length':
        // RFC 9110 section 8.6.
        if (status === 204) continue;
        length = Number(value);
        break;
      case 'trailer':
        trailer += `trailer: ${value}\r\n`;
        continue;
      case 'date':
        hasDate = true;
        break;
    }
    text += `${name}: ${value}\r\n`;
  }
  if (!mayHaveContent) message.framing = Framing.None;
  else if (length !== -1) message.framing = Framing.Length;
  else if (contentBytes !== -1) {
    message.framing = Framing.Length;
    length = contentBytes;
    text += `content-length: ${length}\r\n`;
  } else if (version === '1.1') {
    message.framing = Framing.Chunked;
    // RFC 9112 section 7.1.2: only chunked content has a trailer section to announce.
    text += `${trailer}transfer-encoding: chunked\r\n`;
  } else message.framing = Framing.Connection;
  message.declaredBytesLeft = Math.max(length, 0);
  if (!hasDate) text += `date: ${date}\r\n`;
  const isLast = keptForSeconds === ENDS || message.framing === Framing.Connection;
  return isLast ? `${text}connection: close\r\n\r\n` : text + persistingFields(keptForSeconds);
}

/** Where the content of the last piece in the chunk begins. */
function offsetOf(chunk: OutputChunk, framing: Framing, count: number): number {
  return chunk.length - count - (framing === Framing.Chunked ? 2 : 0);
}

/** @returns the offset behind it */
function putFieldLine(out: Uint8Array, offset: number, name: string, value: string): number {
  let at = putLatin1(out, offset, name);
  out[at++] = COLON;
  out[at++] = SPACE;
  at = putLatin1(out, at, value);
  out[at++] = CR;
  out[at++] = LF;
  return at;
}

/** @param head must end with an empty line */
function withLines(head: string, fields: readonly string[]): string {
  if (fields.length === 0) return head;
  let text = head.slice(0, -END_OF_LINE.length);
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text + END_OF_LINE;
}

const statusLines: string[] = [];

function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`);
}

/**
 * HTTP/1.0 clients need the first line, and other clients have come to expect it. The second line says how
 * long the connection stays open while idle, so that a client does not send its next request into a
 * connection that is ending.
 */
function persistingFields(seconds: number): string {
  return `connection: keep-alive\r\n${seconds > 0 ? `keep-alive: timeout=${seconds}\r\n` : ''}\r\n`;
}

/**
 * An interim response (RFC 9110 section 15.2). RFC 9112 section 4: the phrase may be empty, but the space
 * before it is required.
 */
export function interimMessage(status: number, fields: readonly string[]): string {
  let head = statusLine(status);
  for (let i = 0; i < fields.length; i += 2) head += `${plainName(fields[i])}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** 100 (Continue), without fields. */
export const CONTINUE = interimMessage(100, []);
