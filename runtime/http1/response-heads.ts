/**
 * Heads of responses as bytes, by the list of fields that they were made of: an application that answers with the same frozen
 * list again has its head written once a second and copied for each response.
 *
 * A head is found by the list itself and by all else that its bytes depend on; a list that is not frozen may have changed and
 * is never found. It holds one head for each list, as long as the list lives.
 */
import type { Framing, Http1Message } from './message.ts';

/** A longer head is written each time. */
const MAX_KEPT_BYTES = 2_048;

export class KeptHead {
  readonly bytes: Buffer;
  readonly framing: Framing;
  /** Content that its Content-Length promises. */
  readonly owedBytes: number;
  readonly #status: number;
  readonly #method: string;
  readonly #version: string;
  readonly #contentBytes: number;
  readonly #closes: boolean;
  readonly #date: string;

  constructor(
    { method, version, status, framing, owedBytes }: Http1Message,
    contentBytes: number,
    closes: boolean,
    date: string,
    text: string,
  ) {
    this.bytes = Buffer.from(text, 'latin1');
    this.framing = framing;
    this.owedBytes = owedBytes;
    this.#status = status;
    this.#method = method;
    this.#version = version;
    this.#contentBytes = contentBytes;
    this.#closes = closes;
    this.#date = date;
  }

  isThatOf(
    { method, version, status }: Http1Message,
    contentBytes: number,
    closes: boolean,
    date: string,
  ): boolean {
    return (
      this.#status === status &&
      this.#contentBytes === contentBytes &&
      this.#closes === closes &&
      this.#date === date &&
      this.#method === method &&
      this.#version === version
    );
  }
}

export class ResponseHeads {
  readonly #heads = new WeakMap<readonly string[], KeptHead>();

  /** @returns null: the head is to be written */
  find(message: Http1Message, contentBytes: number, closes: boolean, date: string): KeptHead | null {
    const kept = this.#heads.get(message.fields);
    return kept?.isThatOf(message, contentBytes, closes, date) === true ? kept : null;
  }

  /** @param message with the framing that the head has given it */
  keep(message: Http1Message, contentBytes: number, closes: boolean, date: string, text: string): void {
    if (text.length > MAX_KEPT_BYTES || !Object.isFrozen(message.fields)) return;
    this.#heads.set(message.fields, new KeptHead(message, contentBytes, closes, date, text));
  }
}
