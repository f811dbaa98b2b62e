/** What the server adds to the heads of responses for those who look into it: the request's identifier, and where its time has gone. */
import type { Exchange } from '../exchange/exchange.ts';
import type { RequestIds } from '../logging/request-ids.ts';

export interface LabelsOptions {
  /** Null: requests have no identifiers. */
  readonly ids: RequestIds | null;
  /** Responses carry them. */
  readonly answersIds: boolean;
  readonly answersTiming: boolean;
  /** The reactor's. */
  readonly nowMs: () => number;
}

export class Labels {
  readonly ids: RequestIds | null;
  readonly #options: LabelsOptions;

  constructor(options: LabelsOptions) {
    this.ids = options.ids;
    this.#options = options;
  }

  /**
   * Fields to add to a response, which differ from one response to the next. What the application has said itself stays.
   * @param fields of the response
   */
  of(exchange: Exchange, fields: readonly string[]): readonly string[] {
    const { answersIds, answersTiming } = this.#options;
    const { requestId } = exchange;
    const added: string[] = [];
    if (this.ids !== null && answersIds && requestId !== '' && !has(fields, this.ids.field))
      added.push(this.ids.field, requestId);
    if (answersTiming) {
      const timing = this.#timing(exchange);
      if (timing !== '') added.push('server-timing', timing);
    }
    return added;
  }

  /** W3C Server Timing, in milliseconds; empty: no pool was asked to run it. */
  #timing(exchange: Exchange): string {
    const { admittedAtMs } = exchange;
    if (admittedAtMs === 0) return '';
    const nowMs = this.#options.nowMs();
    const { waits } = exchange.job;
    if (waits === null) return `queue;dur=${rounded(nowMs - admittedAtMs)}`;
    const { queueMs, claimMs } = waits;
    const applicationMs = Math.max(0, nowMs - admittedAtMs - queueMs - claimMs);
    return `queue;dur=${rounded(queueMs)}, claim;dur=${rounded(claimMs)}, app;dur=${rounded(applicationMs)}`;
  }
}

function has(fields: readonly string[], name: string): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return true;
  return false;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
