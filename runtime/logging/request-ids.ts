/**
 * What requests are called, from a proxy in front through the threads to every line of a log (`requestId`). A name that a client chose could
 * be another request's, or drive whoever reads the log: a proxy that is trusted is believed, and its name too only as far as its characters go.
 */
import { randomBytes } from 'node:crypto';

/** None that a log, a shell or a spreadsheet takes for anything but itself. */
const SAFE = /^[A-Za-z0-9._~:+/=@-]{1,128}$/;
/** With a count behind it, unlike those of any other server. */
const PREFIX_BYTES = 6;

export class RequestIds {
  /** Lower case. */
  readonly field: string;
  readonly #prefix: string;
  #count = 0;

  constructor(field: string, prefix = randomBytes(PREFIX_BYTES).toString('hex')) {
    this.field = field;
    this.#prefix = `${prefix}-`;
  }

  /** @param isTrusted whether a trusted proxy sent the request @param fields its own, in pairs */
  of(isTrusted: boolean, fields: readonly string[]): string {
    if (isTrusted) {
      const sent = this.#sent(fields);
      if (sent !== null) return sent;
    }
    return this.#prefix + (++this.#count).toString(36);
  }

  /** Null: there is none, or two that could be meant, or none that is safe. */
  #sent(fields: readonly string[]): string | null {
    let sent: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== this.field) continue;
      if (sent !== null) return null;
      sent = fields[i + 1] as string;
    }
    return sent !== null && SAFE.test(sent) ? sent : null;
  }
}
