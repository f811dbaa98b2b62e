/** How often the server has turned somebody away before, or beside, an exchange: plain numbers, which their owner reads when it likes. */
import type { Abuse } from '../http2/counters.ts';
import { defaultHttp2Options } from '../http2/options.ts';
import { type Refusal, refusals } from '../listeners/listener.ts';

const limits: readonly Abuse[] = ['continuation', 'fieldBlock', 'unsentOutput'];
const budgets = Object.keys(defaultHttp2Options.budgets) as Abuse[];

export class FrontCounters {
  /** Connections, by why. */
  readonly refused = Object.fromEntries(refusals.map((refusal) => [refusal, 0])) as Record<Refusal, number>;
  /** Connections that were ended for abuse of HTTP/2, by the budget or limit that was over. */
  readonly abuse = Object.fromEntries([...budgets, ...limits].map((abuse) => [abuse, 0])) as Record<
    Abuse,
    number
  >;
}
