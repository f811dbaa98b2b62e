/** How often the server has turned away connections and requests before there was an exchange, as plain counters. */
import { type RequestRefusal, requestRefusals } from '../connections/request-refusal.ts';
import type { Abuse } from '../http2/counters.ts';
import { defaultHttp2Options } from '../http2/options.ts';
import { type Refusal, refusals } from '../listeners/listener.ts';

const limits: readonly Abuse[] = ['continuation', 'fieldBlock', 'unsentOutput'];
const budgets = Object.keys(defaultHttp2Options.budgets) as Abuse[];

export class FrontCounters {
  /** Connections by reason. */
  readonly refused = Object.fromEntries(refusals.map((refusal) => [refusal, 0])) as Record<Refusal, number>;
  /** Requests that the protocol engines have refused, by reason. */
  readonly requests = Object.fromEntries(requestRefusals.map((refusal) => [refusal, 0])) as Record<
    RequestRefusal,
    number
  >;
  /** Connections ended for abuse of HTTP/2, by the budget or limit that was exceeded. */
  readonly abuse = Object.fromEntries([...budgets, ...limits].map((abuse) => [abuse, 0])) as Record<
    Abuse,
    number
  >;
}
