/**
 * Distinguishes one state of a file from another: its entity tag and its modification date (RFC 9110 section
 * 8.8).
 */
import type { FileStats } from './disk.ts';
import { formatHttpDate } from './http-date.ts';
import type { ContentCoding, StaticOptions } from './options.ts';

export interface Validators {
  /** Null if none is sent. */
  readonly etag: string | null;
  /** Whole seconds since 1970, never later than the response; null for a date that HTTP cannot write. */
  readonly modifiedSeconds: number | null;
  /** The file has not changed for so long that a later change must have changed its times. */
  readonly isStable: boolean;
}

/**
 * A file system takes its time stamps from a clock that ticks, on some in whole seconds and on FAT every two.
 * So a file that was written a moment ago could be written again with the same stamp. Until that is
 * impossible, its tag is weak and its date is no strong validator (RFC 9110 sections 8.8.1 and 8.8.2.2).
 */
const STABLE_AFTER_MS = 2_000;
/** The last second with a year of four digits. */
const LAST_SECOND = 253_402_300_799;

export function validatorsOf(
  stats: FileStats,
  coding: ContentCoding | null,
  kind: StaticOptions['etag'],
  nowMs: number,
): Validators {
  const stampNs = kind === 'ctime' ? stats.ctimeNs : stats.mtimeNs;
  const isStable = nowMs - Number(stampNs / 1_000_000n) >= STABLE_AFTER_MS;
  const seconds = Number(stats.mtimeNs / 1_000_000_000n);
  return {
    etag: kind === 'none' ? null : entityTag(stats.size, stampNs, coding, isStable),
    // A date in the future must be sent as the response's own date (RFC 9110 section 8.8.2.1).
    modifiedSeconds:
      seconds >= 0 && seconds <= LAST_SECOND ? Math.min(seconds, Math.floor(nowMs / 1000)) : null,
    isStable,
  };
}

function entityTag(size: bigint, stampNs: bigint, coding: ContentCoding | null, isStrong: boolean): string {
  // Two codings of one resource are two representations (RFC 9110 section 8.8.3.3).
  const suffix = coding === null ? '' : `-${coding}`;
  return `${isStrong ? '' : 'W/'}"${size.toString(36)}-${stampNs.toString(36)}${suffix}"`;
}

/** The fields that send the validators to a client. */
export function validatorFields({ etag, modifiedSeconds }: Validators): [string, string][] {
  const fields: [string, string][] = [];
  if (etag !== null) fields.push(['etag', etag]);
  if (modifiedSeconds !== null) fields.push(['last-modified', formatHttpDate(modifiedSeconds)]);
  return fields;
}
