/**
 * Pushes for what a legacy response says goes with it: `X-Associated-Content`, and preload links where that is asked for
 * (docs/sgi.md, rule 12.7). The application itself answers for them, as it would to the requests that they save.
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

  /** Null where nothing is ever pushed. */
  static of(application: Application, downgrade: Downgrade): Associated | null {
    const mayPush = downgrade.associatedContent === 'push' || downgrade.linkPreload === 'push';
    return mayPush ? new Associated(application, downgrade) : null;
  }

  /**
   * Promises what the head names, before it is sent, and takes out of it what was meant for the server.
   * @param onPush is given each response that is being written: it lasts no longer than the exchange's function
   */
  take(exchange: Exchange, flat: string[], onPush: (written: Promise<void>) => void): void {
    const targets: string[] = [];
    for (let i = flat.length - 2; i >= 0; i -= 2) {
      const name = plainName(flat[i]);
      if (name === ASSOCIATED && this.#downgrade.associatedContent === 'push') {
        targets.unshift(...associatedTargets([flat[i + 1]]));
        flat.splice(i, 2);
      } else if (name === 'link' && this.#downgrade.linkPreload === 'push') {
        targets.unshift(...preloadTargets([flat[i + 1]]));
      }
    }
    // What a pushed response refers to is the page's to promise.
    if (targets.length === 0 || !exchange.capabilities.push || exchange instanceof PushedExchange) return;
    const { scheme, authority } = exchange.request;
    const paths = targets.map((target) => sameOriginPath(target, scheme, authority));
    const own = new Set(paths.filter((path) => path !== null && path !== exchange.request.path));
    for (const path of [...own].slice(0, this.#downgrade.maxPushesPerHead)) {
      onPush(this.#push(exchange, path as string));
    }
  }

  async #push(exchange: Exchange, path: string): Promise<void> {
    const pushed = await exchange.push({ path, fields: PushedExchange.fieldsOf(exchange) });
    if (pushed === null) return;
    try {
      await this.#application(new PushedExchange(exchange, path, pushed));
    } catch (error) {
      // The page does not depend on it, and its peer will ask for itself.
      const wasCut = pushed.signal.aborted;
      pushed.reset();
      if (!wasCut) throw error;
    }
  }
}
