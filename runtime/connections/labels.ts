/** What the server adds to the heads of responses for those who look into it: the request's identifier. */
import type { Exchange } from '../exchange/exchange.ts';
import type { RequestIds } from '../request-ids.ts';

export class Labels {
  /** Null: requests have none. */
  readonly ids: RequestIds | null;
  readonly #responds: boolean;

  constructor(ids: RequestIds | null, responds: boolean) {
    this.ids = ids;
    this.#responds = responds;
  }

  /** The fields of a response, with what is added to them. What the application has said itself stays. */
  on(exchange: Exchange, fields: readonly string[]): readonly string[] {
    const { requestId } = exchange;
    if (this.ids === null || !this.#responds || requestId === '') return fields;
    const { field } = this.ids;
    for (let i = 0; i < fields.length; i += 2) if (fields[i] === field) return fields;
    return [...fields, field, requestId];
  }
}
