/**
 * What becomes of features that a shape cannot carry, and of what legacy code says in their place (docs/sgi.md, rule 12.7).
 * Every adapter takes these options; a pool has them in its configuration.
 */
import { HostError } from '../exchange/errors.ts';
import type { Feature } from '../gateway.ts';

export interface DowngradeOptions {
  /** A push where there is none: a 103 and a Link for it, nothing, or an error. */
  readonly push?: 'preload' | 'drop' | 'refuse';
  readonly trailers?: 'drop' | 'refuse';
  /** Interim responses. */
  readonly informational?: 'drop' | 'refuse';
  /** Writing piece by piece where a layer collects. */
  readonly streaming?: 'buffer' | 'refuse';
  /** A reset with a code. */
  readonly reset?: 'close' | 'refuse';
  /** A `Link` of a legacy handler with `rel=preload` and without `nopush`: pushed as well where the peer takes it. */
  readonly linkPreload?: 'pass' | 'push';
  /** `X-Associated-Content` of a legacy handler: what it names is pushed, and the field taken out. */
  readonly associatedContent?: 'push' | 'pass';
  /** Pushes for one head, at most; default 16. */
  readonly maxPushesPerHead?: number;
}
export type Downgrade = Required<DowngradeOptions>;

export const DEFAULT_DOWNGRADE: Downgrade = Object.freeze({
  push: 'preload',
  trailers: 'drop',
  informational: 'drop',
  streaming: 'buffer',
  reset: 'close',
  linkPreload: 'pass',
  associatedContent: 'push',
  maxPushesPerHead: 16,
});

export function downgradeOf(options: DowngradeOptions | undefined): Downgrade {
  return options === undefined ? DEFAULT_DOWNGRADE : { ...DEFAULT_DOWNGRADE, ...options };
}

/** @throws HostError `SLUICE_FEATURE_WITHHELD` */
export function refuse(feature: Feature, why: string): never {
  throw new HostError(
    'SLUICE_FEATURE_WITHHELD',
    `expected an exchange with ${feature}, as the downgrade says refuse: ${why}`,
  );
}
