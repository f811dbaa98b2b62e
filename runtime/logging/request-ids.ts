/**
 * Identifiers of requests, from a proxy in front through the threads to every line of a log (`requestId`). An
 * identifier that a client chose could equal another request's, or mislead a reader of the log. So Sluice
 * accepts one only from a trusted proxy, and only if it has safe characters.
 */
import { MAX_REQUEST_ID_CHARS } from '../config/request-id-schema.ts';
import { Identifiers } from './identifiers.ts';

/** Characters without a special meaning in logs and shells. */
const SAFE = /^[A-Za-z0-9._~:+/=@-]+$/;

export class RequestIds {
  /** Lower case. */
  readonly field: string;
  readonly #own = new Identifiers();

  constructor(field: string) {
    this.field = field;
  }

  /** @param isTrusted whether a trusted proxy sent the request @param fields its own, in pairs */
  of(isTrusted: boolean, fields: readonly string[]): string {
    return (isTrusted ? this.#sent(fields) : null) ?? this.#own.next();
  }

  /** Null if the field is missing, was sent more than once, or has unsafe characters. */
  #sent(fields: readonly string[]): string | null {
    let sent: string | null = null;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== this.field) continue;
      if (sent !== null) return null;
      sent = fields[i + 1] as string;
    }
    return sent !== null && sent.length <= MAX_REQUEST_ID_CHARS && SAFE.test(sent) ? sent : null;
  }
}
