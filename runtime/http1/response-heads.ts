/**
 * Encoded response heads, by the list of fields that they were made from. If an application responds with the
 * same frozen list again, its head is encoded once a second and copied for each response.
 *
 * A head is found by the list itself and by everything else that its bytes depend on. A list that is not
 * frozen may have changed, so it is never looked up. The cache holds one head per list, for as long as the
 * list lives.
 */
import type { Framing, Http1Message } from './message.ts';

/** A longer head is encoded each time. */
const MAX_KEPT_BYTES = 2_048;

/** For `keptForSeconds`: the connection ends after the response. */
export const ENDS = -1;

export class KeptHead {
  readonly bytes: Buffer;
  readonly framing: Framing;
  /** The content length that the head declares. */
  readonly declaredBytes: number;
  readonly #status: number;
  readonly #method: string;
  readonly #version: string;
  readonly #contentBytes: number;
  readonly #keptForSeconds: number;
  readonly #date: string;

  constructor(
    { method, version, status, framing, declaredBytesLeft }: Http1Message,
    contentBytes: number,
    keptForSeconds: number,
    date: string,
    text: string,
  ) {
    this.bytes = Buffer.from(text, 'latin1');
    this.framing = framing;
    this.declaredBytes = declaredBytesLeft;
    this.#status = status;
    this.#method = method;
    this.#version = version;
    this.#contentBytes = contentBytes;
    this.#keptForSeconds = keptForSeconds;
    this.#date = date;
  }

  isThatOf(
    { method, version, status }: Http1Message,
    contentBytes: number,
    keptForSeconds: number,
    date: string,
  ): boolean {
    return (
      this.#status === status &&
      this.#contentBytes === contentBytes &&
      this.#keptForSeconds === keptForSeconds &&
      this.#date === date &&
      this.#method === method &&
      this.#version === version
    );
  }
}

export class ResponseHeads {
  readonly #heads = new WeakMap<readonly string[], KeptHead>();

  /**
   * @param keptForSeconds how long the connection stays open while idle after the response, as the head says;
   * `ENDS`: it ends
   * @returns null: the head must be encoded
   */
  find(message: Http1Message, contentBytes: number, keptForSeconds: number, date: string): KeptHead | null {
    const kept = this.#heads.get(message.fields);
    return kept?.isThatOf(message, contentBytes, keptForSeconds, date) === true ? kept : null;
  }

  /** @param message with the framing that encoding the head has given it */
  keep(
    message: Http1Message,
    contentBytes: number,
    keptForSeconds: number,
    date: string,
    text: string,
  ): void {
    if (text.length > MAX_KEPT_BYTES || !Object.isFrozen(message.fields)) return;
    this.#heads.set(message.fields, new KeptHead(message, contentBytes, keptForSeconds, date, text));
  }
}
