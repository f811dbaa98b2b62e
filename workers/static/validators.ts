/** What tells one state of a file from another: its entity tag and its modification date (RFC 9110 section 8.8). */
import type { FileStats } from './disk.ts';
import { formatHttpDate } from './http-date.ts';
import type { ContentCoding, StaticOptions } from './options.ts';

export interface Validators {
  /** Null when none is sent. */
  readonly etag: string | null;
  /** Whole seconds since 1970, never later than the response; null for a date that HTTP cannot write. */
  readonly modifiedSeconds: number | null;
  /** The file has been left alone for so long that a change since would have changed its times. */
  readonly isSettled: boolean;
}

/**
 * A file system stamps times with a clock that ticks, in whole seconds on some and every two on FAT, so a file that has
 * only just been written could be written again under the same stamp. Until then its tag is weak and its date no
 * strong validator (RFC 9110 sections 8.8.1 and 8.8.2.2).
 */
const SETTLING_MS = 2_000;
/** The last second with a year of four digits. */
const LAST_SECOND = 253_402_300_799;

export function validatorsOf(
  stats: FileStats,
  coding: ContentCoding | null,
  kind: StaticOptions['etag'],
  nowMs: number,
): Validators {
  const stampNs = kind === 'ctime' ? stats.ctimeNs : stats.mtimeNs;
  const isSettled = nowMs - Number(stampNs / 1_000_000n) >= SETTLING_MS;
  const seconds = Number(stats.mtimeNs / 1_000_000_000n);
  return {
    etag: kind === 'none' ? null : entityTag(stats.size, stampNs, coding, isSettled),
    // A date to come must be given as the response's own (RFC 9110 section 8.8.2.1).
    modifiedSeconds:
      seconds >= 0 && seconds <= LAST_SECOND ? Math.min(seconds, Math.floor(nowMs / 1000)) : null,
    isSettled,
  };
}

function entityTag(size: bigint, stampNs: bigint, coding: ContentCoding | null, isStrong: boolean): string {
  // Two codings of one resource are two representations (RFC 9110 section 8.8.3.3).
  const suffix = coding === null ? '' : `-${coding}`;
  return `${isStrong ? '' : 'W/'}"${size.toString(36)}-${stampNs.toString(36)}${suffix}"`;
}

/** The fields that tell a client the validators. */
export function validatorFields({ etag, modifiedSeconds }: Validators): [string, string][] {
  const fields: [string, string][] = [];
  if (etag !== null) fields.push(['etag', etag]);
  if (modifiedSeconds !== null) fields.push(['last-modified', formatHttpDate(modifiedSeconds)]);
  return fields;
}
