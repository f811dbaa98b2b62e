/**
 * The field block of a response that repeats the previous one: the same status, the same frozen list of
 * fields, and a table that has not changed in between. The list itself identifies the block, so nothing of it
 * is compared.
 *
 * It belongs to one connection, as the table does. The octets that it keeps were sent to this connection's
 * peer.
 */

const MAX_BLOCK_BYTES = 64;

export class RepeatedResponse {
  #fields: readonly string[] | null = null;
  #status = 0;
  #inserted = 0;
  #evicted = 0;
  #octets: Uint8Array | null = null;
  #length = 0;
  /** The last list that was sent without being kept: most lists come once. */
  #lastFields: readonly string[] | null = null;

  /** @param inserted, evicted the table's serials */
  is(status: number, fields: readonly string[], inserted: number, evicted: number): boolean {
    return (
      this.#fields === fields &&
      this.#status === status &&
      this.#inserted === inserted &&
      this.#evicted === evicted
    );
  }

  /** @returns the offset after the block */
  copyTo(out: Uint8Array, offset: number): number {
    const octets = this.#octets as Uint8Array;
    const length = this.#length;
    for (let i = 0; i < length; i++) out[offset + i] = octets[i];
    return offset + length;
  }

  /** out[start, end) is the block, and encoding it has changed nothing. */
  remember(
    status: number,
    fields: readonly string[],
    inserted: number,
    evicted: number,
    out: Uint8Array,
    start: number,
    end: number,
  ): void {
    const length = end - start;
    if (this.#lastFields !== fields || length > MAX_BLOCK_BYTES || !Object.isFrozen(fields)) {
      this.#lastFields = fields;
      return;
    }
    this.#octets ??= new Uint8Array(MAX_BLOCK_BYTES);
    for (let i = 0; i < length; i++) this.#octets[i] = out[start + i];
    this.#length = length;
    this.#fields = fields;
    this.#status = status;
    this.#inserted = inserted;
    this.#evicted = evicted;
  }
}
