/**
 * What happens to features that an interface cannot express, and to the fields that legacy code sets instead (docs/sgi.md, rule 12.7).
 * Every adapter takes these options; a pool has them in its configuration.
 */
import { HostError } from '../exchange/errors.ts';
import type { Feature } from '../gateway.ts';

export interface DowngradeOptions {
  /** A push that is not possible: a 103 with a Link, nothing, or an error. */
  readonly push?: 'preload' | 'drop' | 'refuse';
  readonly trailers?: 'drop' | 'refuse';
  /** Interim responses. */
  readonly informational?: 'drop' | 'refuse';
  /** Writing in pieces when a layer collects the body. */
  readonly streaming?: 'buffer' | 'refuse';
  /** A reset with a code. */
  readonly reset?: 'close' | 'refuse';
  /** A legacy handler's `Link` with `rel=preload` and without `nopush`: `push` also pushes its target if the peer takes pushes. */
  readonly linkPreload?: 'pass' | 'push';
  /** A legacy handler's `X-Associated-Content`: `push` pushes what it names and removes the field. */
  readonly associatedContent?: 'push' | 'pass';
  /** The most pushes for one head; default 16. */
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
