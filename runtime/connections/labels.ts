/**
 * What the server adds to response heads for people who inspect them: the request's identifier, and where its
 * time was spent.
 */
import type { Exchange } from '../exchange/exchange.ts';
import { hundredths } from './hundredths.ts';

const NO_FIELDS: readonly string[] = [];

/** What requests are called. */
export interface RequestIds {
  /** The field that carries the identifier, in lower case. */
  readonly field: string;
  /** @param isTrusted whether a trusted proxy sent the request @param fields its own, in pairs */
  of(isTrusted: boolean, fields: readonly string[]): string;
}

export interface LabelsOptions {
  /** Null: requests have no identifiers. */
  readonly ids: RequestIds | null;
  /** Responses carry the identifier. */
  readonly answersIds: boolean;
  readonly answersTiming: boolean;
  /** The reactor's clock. */
  readonly nowMs: () => number;
}

export class Labels {
  readonly ids: RequestIds | null;
  readonly #options: LabelsOptions;
  /** Empty: responses carry no identifiers. */
  readonly #idField: string;

  constructor(options: LabelsOptions) {
    this.ids = options.ids;
    this.#options = options;
    this.#idField = options.answersIds ? (options.ids?.field ?? '') : '';
  }

  /**
   * Fields to add to a response; they differ from one response to the next. Fields that the application has set stay.
   * @param fields of the response
   */
  of(exchange: Exchange, fields: readonly string[]): readonly string[] {
    const { requestId } = exchange;
    const field = this.#idField;
    const timing = this.#options.answersTiming ? this.#timing(exchange) : '';
    const hasId = field !== '' && requestId !== '' && !has(fields, field);
    if (timing === '') return hasId ? [field, requestId] : NO_FIELDS;
    return hasId ? [field, requestId, 'server-timing', timing] : ['server-timing', timing];
  }

  /** W3C Server Timing, in milliseconds; empty if the exchange was not given to a pool. */
  #timing(exchange: Exchange): string {
    const { admittedAtMs } = exchange;
    if (admittedAtMs === 0) return '';
    const nowMs = this.#options.nowMs();
    const { waits } = exchange.job;
    if (waits === null) return `queue;dur=${hundredths(nowMs - admittedAtMs)}`;
    const { queueMs, claimMs } = waits;
    const applicationMs = Math.max(0, nowMs - admittedAtMs - queueMs - claimMs);
    return `queue;dur=${hundredths(queueMs)}, claim;dur=${hundredths(claimMs)}, app;dur=${hundredths(applicationMs)}`;
  }
}

function has(fields: readonly string[], name: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return true;
  return false;
}
