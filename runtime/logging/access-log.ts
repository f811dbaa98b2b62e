/**
 * Logs a line for each exchange that has ended (`log.access`). Values that a peer chose are cut to a length. The query of a path often has
 * secrets, so it is logged only if the configuration names the field.
 */
import { Redaction } from '../../wire/redaction.ts';
import type { AccessField } from '../config/access-log-schema.ts';
import type { LogConfig } from '../config/config.ts';
import type { EndedExchange } from '../exchange/contracts.ts';
import { Outcome } from '../exchange/outcomes.ts';
import type { Log } from './log.ts';

/** The limits of a request's head alone would let a peer fill the disk. */
const MOST_CHARS = 256;

/** The same for all exchanges of a route. */
interface Place {
  readonly route: string;
  readonly pool: string;
}

interface Ended extends Place {
  readonly exchange: EndedExchange;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

type Line = Record<string, string | number>;

/** Null: the field is left out. */
const readers: {
  readonly [Field in AccessField]: (ended: Ended, redaction: Redaction) => string | number | null;
} = {
  remoteAddress: ({ exchange }) => exchange.remoteAddress || null,
  method: ({ exchange }) => exchange.method.slice(0, MOST_CHARS),
  scheme: ({ exchange }) => exchange.scheme || null,
  authority: ({ exchange }) => exchange.authority.slice(0, MOST_CHARS),
  path: ({ exchange: { path } }) => beforeQuery(path).slice(0, MOST_CHARS),
  query: ({ exchange: { path } }, redaction) =>
    redaction.query(path.slice(beforeQuery(path).length + 1)).slice(0, MOST_CHARS) || null,
  version: ({ exchange }) => exchange.version,
  // If no head was sent, the outcome says why.
  status: ({ exchange }) => exchange.status || null,
  outcome: ({ outcome }) => outcome,
  durationMs: ({ durationMs }) => Math.round(durationMs * 10) / 10,
  requestBytes: ({ exchange }) => exchange.receivedBytes,
  // A response to HEAD has no content.
  responseBytes: ({ exchange }) => (exchange.method === 'HEAD' ? 0 : exchange.responseBytes),
  route: ({ route }) => route || null,
  pool: ({ pool }) => pool || null,
  requestId: ({ exchange }) => exchange.requestId || null,
  userAgent: ({ exchange }) => fieldOf(exchange.fields, 'user-agent')?.slice(0, MOST_CHARS) ?? null,
  referer: ({ exchange }, redaction) => {
    const referer = fieldOf(exchange.fields, 'referer');
    return referer && redaction.query(referer).slice(0, MOST_CHARS);
  },
};

export class AccessLog {
  readonly #log: Log;
  readonly #fields: readonly AccessField[];
  readonly #sample: number;
  readonly #now: () => number;
  readonly #redaction: Redaction;
  /** The accumulated share of left-out exchanges that ended well; one is written when it reaches 1. */
  #due = 0;

  /** @param now monotonic milliseconds, as exchanges are admitted by */
  constructor(log: Log, { access: { fields, sample }, redact }: LogConfig, now: () => number) {
    // `log.level` concerns only the server's own lines.
    this.#log = log.child({}, { level: log.level === 'silent' ? 'silent' : 'info' });
    this.#redaction = new Redaction(redact);
    this.#fields = fields;
    this.#sample = sample;
    this.#now = now;
  }

  /** Returns the function that logs the ended exchanges of one route. */
  of(place: Place): (exchange: EndedExchange, outcome: Outcome) => void {
    return (exchange, outcome) => {
      if (this.#isLeftOut(exchange, outcome)) return;
      const durationMs = exchange.admittedAtMs === 0 ? 0 : this.#now() - exchange.admittedAtMs;
      const ended = { ...place, exchange, outcome, durationMs };
      const line: Line = {};
      for (const field of this.#fields) {
        const value = readers[field](ended, this.#redaction);
        if (value !== null) line[field] = value;
      }
      this.#log.info(line, 'exchange');
    };
  }

  #isLeftOut({ status }: EndedExchange, outcome: Outcome): boolean {
    if (outcome !== Outcome.Complete || status >= 500) return false;
    this.#due += this.#sample;
    if (this.#due < 1) return true;
    this.#due -= 1;
    return false;
  }
}

/** @param isTerminal whether a person reads standard output */
export function isAccessLogged({ access: { write } }: LogConfig, isTerminal: boolean): boolean {
  return write === 'always' || (write === 'auto' && isTerminal);
}

function beforeQuery(path: string): string {
  const end = path.indexOf('?');
  return end === -1 ? path : path.slice(0, end);
}

/** The value of the first field with this name. */
function fieldOf(fields: readonly string[], name: string): string | null {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) return fields[i + 1] as string;
  }
  return null;
}
