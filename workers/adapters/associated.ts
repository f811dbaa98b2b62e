/**
 * Pushes what a legacy response names in `X-Associated-Content`, and in preload links if configured (docs/sgi.md, rule 12.7). The
 * application itself answers the promised requests, as it would answer the requests that they save.
 */
import { plainName } from '../../wire/field-marks.ts';
import type { Application, Exchange } from '../gateway.ts';
import type { Downgrade } from './downgrade.ts';
import { associatedTargets, preloadTargets, sameOriginPath } from './preload.ts';
import { PushedExchange } from './pushed-exchange.ts';

const ASSOCIATED = 'x-associated-content';

export class Associated {
  readonly #application: Application;
  readonly #downgrade: Downgrade;

  constructor(application: Application, downgrade: Downgrade) {
    this.#application = application;
    this.#downgrade = downgrade;
  }

  /** Null if the options never push. */
  static of(application: Application, downgrade: Downgrade): Associated | null {
    const mayPush = downgrade.associatedContent === 'push' || downgrade.linkPreload === 'push';
    return mayPush ? new Associated(application, downgrade) : null;
  }

  /**
   * Promises what the head names before the head is sent, and removes `X-Associated-Content` from it.
   * @returns a promise for each pushed response, for which the exchange's function must wait; null if nothing is pushed
   */
  take(exchange: Exchange, flat: string[]): Promise<void>[] | null {
    for (let i = 0; i < flat.length; i += 2) {
      const name = plainName(flat[i] as string);
      if (name === ASSOCIATED || name === 'link') return this.#takeFrom(exchange, flat);
    }
    return null;
  }

  #takeFrom(exchange: Exchange, flat: string[]): Promise<void>[] | null {
    const targets: string[] = [];
    for (let i = flat.length - 2; i >= 0; i -= 2) {
      const name = plainName(flat[i] as string);
      if (name === ASSOCIATED && this.#downgrade.associatedContent === 'push') {
        targets.unshift(...associatedTargets([flat[i + 1] as string]));
        flat.splice(i, 2);
      } else if (name === 'link' && this.#downgrade.linkPreload === 'push') {
        targets.unshift(...preloadTargets([flat[i + 1] as string]));
      }
    }
    // Only the page promises; a pushed response does not (RFC 9113 section 8.4).
    if (targets.length === 0 || !exchange.capabilities.push || exchange instanceof PushedExchange)
      return null;
    const { scheme, authority } = exchange.request;
    const paths = targets.map((target) => sameOriginPath(target, scheme, authority));
    const own = new Set(paths.filter((path) => path !== null && path !== exchange.request.path));
    return [...own]
      .slice(0, this.#downgrade.maxPushesPerHead)
      .map((path) => this.#push(exchange, path as string));
  }

  async #push(exchange: Exchange, path: string): Promise<void> {
    const pushed = await exchange.push({ path, fields: PushedExchange.fieldsOf(exchange) });
    if (pushed === null) return;
    try {
      await this.#application(new PushedExchange(exchange, path, pushed));
    } catch (error) {
      // The page is complete without the push; the peer requests the resource itself.
      const wasCut = pushed.signal.aborted;
      pushed.reset();
      if (!wasCut) throw error;
    }
  }
}
