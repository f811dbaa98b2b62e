/**
 * Checks that concern more than one value, or a value's meaning. They run on a configuration whose parts may
 * already have been found wrong, so that every error is reported at once: each check looks only at values that
 * have the type it needs and were not found wrong by themselves, and leaves the others to the schema's own error.
 */

import { resolve } from 'node:path';
import { maxMessageLength } from '../../wire/layout.ts';
import { MAX_AUTHORITY_CHARS } from '../http1/host.ts';
import { maxUnixPathBytes } from './address.ts';
import { arrayOf, conflict, isReported, membersOf, unknownPool } from './checking.ts';
import { ConfigErrorCode, type ConfigProblem, describePath, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';
import { memberOf } from './member-of.ts';
import { MAX_REQUEST_ID_CHARS } from './request-id-schema.ts';
import type { ConfigOutput } from './schema.ts';
import type { ThreadRange } from './thread-range.ts';

/**
 * The threads of each pool by name. A single number is both min and max. The default of max is the number of threads that the machine runs
 * in parallel, or min if that is greater.
 */
export function readThreads(
  pools: unknown,
  parallelism: number,
  problems: ConfigProblem[],
): Map<string, ThreadRange> {
  const ranges = new Map<string, ThreadRange>();
  for (const [name, pool] of membersOf(pools)) {
    const threads = memberOf(pool, 'threads');
    if (typeof threads === 'number') {
      ranges.set(name, { min: threads, max: threads });
      continue;
    }
    const min = memberOf(threads, 'min');
    const max = memberOf(threads, 'max');
    if (typeof min !== 'number' || (max !== undefined && typeof max !== 'number')) continue;
    const where = childPath(childPath('$.pools', name), 'threads');
    const sound = !isReported(`${where}.min`, problems) && !isReported(`${where}.max`, problems);
    if (sound && max !== undefined && min > max) {
      problems.push(conflict(`${where}.min`, `at most max (${max})`, min));
    }
    ranges.set(name, { min, max: max ?? Math.max(min, parallelism) });
  }
  return ranges;
}

/** Every route has files or names a pool that exists, and no two routes match the same. */
export function checkRoutes(routes: unknown, pools: unknown, problems: ConfigProblem[]): void {
  const names = membersOf(pools).map(([name]) => name);
  const seen = new Map<string, string>();
  for (const [index, route] of arrayOf(routes).entries()) {
    const where = childPath('$.routes', index);
    const pool = memberOf(route, 'pool');
    checkAnswerer(route, where, problems);
    if (typeof pool === 'string' && !isReported('$.pools', problems) && !names.includes(pool)) {
      problems.push(unknownPool(childPath(where, 'pool'), pool, names));
    }
    const host = memberOf(route, 'host');
    const path = memberOf(route, 'path');
    if (typeof host !== 'string' || typeof path !== 'string') continue;
    const key = `${host.toLowerCase()} ${path}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, where);
    else problems.push(conflict(where, `a host and path that ${first} does not have`, `${host} ${path}`));
  }
}

/** A route leads either to a pool or to files, and files accept no tunnels. */
function checkAnswerer(route: unknown, where: string, problems: ConfigProblem[]): void {
  if (typeof route !== 'object' || route === null || Array.isArray(route)) return;
  const pool = memberOf(route, 'pool');
  if (memberOf(route, 'static') === undefined) {
    if (pool !== undefined || isReported(childPath(where, 'pool'), problems)) return;
    const expected = 'the name of a pool';
    const code = ConfigErrorCode.MissingKey;
    const hint = 'or "static" with a root, for files';
    problems.push({ code, where: childPath(where, 'pool'), expected, received: 'nothing', hint });
    return;
  }
  if (pool !== undefined) problems.push(conflict(childPath(where, 'pool'), 'no pool beside static', pool));
  for (const name of ['websocket', 'connect']) {
    if (memberOf(route, name) === true) {
      problems.push(conflict(childPath(where, name), 'false beside static', true));
    }
  }
}

/** The sections that say how large a request's head can become. */
interface HeadSections {
  readonly http1?: unknown;
  readonly http2?: unknown;
  readonly listeners?: unknown;
  readonly requestId?: unknown;
}

/**
 * A request's head crosses to its thread as one message, so half a ring must hold the largest head that the
 * protocols let in; a larger one could never be sent.
 * @param hasDevTls every listener has TLS, whatever its section says
 */
export function checkRings(
  pools: unknown,
  sections: HeadSections,
  hasDevTls: boolean,
  problems: ConfigProblem[],
): void {
  const { http1, http2 } = sections;
  const fieldListBytes = memberOf(http2, 'maxFieldListBytes');
  const headerBytes = memberOf(http1, 'maxHeaderBytes');
  if (typeof fieldListBytes !== 'number' || typeof headerBytes !== 'number') return;
  if (isReported('$.http2.maxFieldListBytes', problems) || isReported('$.http1.maxHeaderBytes', problems))
    return;
  const headBytes = headBytesOf(fieldListBytes, headerBytes, sections, hasDevTls);
  for (const [name, pool] of membersOf(pools)) {
    const ringBytes = memberOf(pool, 'ringBytes');
    const where = childPath(childPath('$.pools', name), 'ringBytes');
    if (typeof ringBytes !== 'number' || isReported(where, problems)) continue;
    if (maxMessageLength(ringBytes) >= headBytes) continue;
    problems.push({
      code: ConfigErrorCode.Conflict,
      where,
      expected: `at least ${leastRing(headBytes)}, so that half of it holds a request head`,
      received: describeValue(ringBytes),
      hint: `or lower $.http2.maxFieldListBytes (${fieldListBytes}) and $.http1.maxHeaderBytes (${headerBytes})`,
    });
  }
}

function headBytesOf(
  fieldListBytes: number,
  headerBytes: number,
  { listeners, requestId }: HeadSections,
  hasDevTls: boolean,
): number {
  const lineBytes = Math.max(fieldListBytes, headerBytes) * boundPerByte;
  const idBytes = requestId === undefined ? 0 : requestIdBytes;
  return lineBytes + fixedHeadBytes + idBytes + tlsBytes(listeners, hasDevTls);
}

/** The smallest ring that holds the largest request head, for a pool without a configured size. @param hasDevTls as above */
export function leastRingBytes(config: ConfigOutput, hasDevTls: boolean): number {
  const { http1, http2 } = config;
  return leastRing(headBytesOf(http2.maxFieldListBytes, http1.maxHeaderBytes, config, hasDevTls));
}

/** The system would cut a longer path off and bind another file. */
export function checkControlPath(control: unknown, directory: string, problems: ConfigProblem[]): void {
  const path = memberOf(control, 'path');
  const where = '$.control.path';
  if (typeof path !== 'string' || isReported(where, problems)) return;
  if (path.includes('\0') || Buffer.byteLength(resolve(directory, path)) > maxUnixPathBytes) {
    problems.push({
      code: ConfigErrorCode.WrongValue,
      where,
      expected: `a path that has, made absolute, at most ${maxUnixPathBytes} bytes`,
      received: describePath(path),
      hint: 'the system takes no longer one for a socket',
    });
  }
}

/** One path cannot have two meanings. */
export function checkHealth(health: unknown, problems: ConfigProblem[]): void {
  const live = memberOf(health, 'live');
  const ready = memberOf(health, 'ready');
  if (typeof live !== 'string' || live !== ready || isReported('$.health.ready', problems)) return;
  problems.push(conflict('$.health.ready', 'a path that $.health.live does not have', ready));
}

/** A connection must not end because of output that it is still allowed to produce. */
export function checkOutputLimits(http2: unknown, problems: ConfigProblem[]): void {
  const where = '$.http2.maxUnsentBytes';
  const limit = memberOf(http2, 'outputLimitBytes');
  const most = memberOf(http2, 'maxUnsentBytes');
  if (typeof limit !== 'number' || typeof most !== 'number' || most > limit) return;
  if (isReported('$.http2.outputLimitBytes', problems) || isReported(where, problems)) return;
  problems.push(conflict(where, `more than outputLimitBytes (${limit})`, most));
}

/**
 * The writer claims three bytes for each UTF-16 unit before it looks (UTF-8 takes no more), and five for the head of each
 * string, which are two a line. Both limits count more than that beside name and value: 32 a line of a field list (RFC 9113
 * section 6.5.2), and four a line of HTTP/1.1, for its colon, space and line end.
 */
const boundPerByte = 3;
/**
 * What neither limit counts: the integers, what HTTP/1.1 does not spell out (method, scheme, version), the client's address, and the
 * authority, which a proxy may have named in a field that crosses as well.
 */
const fixedHeadBytes = 512 + MAX_AUTHORITY_CHARS * boundPerByte;
/** Where requests have identifiers, each crosses by itself, also one that is in a field as well. */
const requestIdBytes = 5 + MAX_REQUEST_ID_CHARS * boundPerByte;

/** The most bytes that OPEN needs to describe a connection's TLS: names and, if clients are asked for one, their certificate in base64. */
function tlsBytes(listeners: unknown, hasDevTls: boolean): number {
  let most = hasDevTls ? maxTlsNamesBytes : 0;
  for (const listener of arrayOf(listeners)) {
    const tls = memberOf(listener, 'tls');
    if (tls === undefined) continue;
    const certificateBytes = memberOf(tls, 'maxClientCertificateBytes');
    const isAsked = memberOf(tls, 'requestCert') === true && typeof certificateBytes === 'number';
    most = Math.max(most, maxTlsNamesBytes + (isAsked ? certificateBytes * bytesPerCertificateByte : 0));
  }
  return most;
}

/** Version, cipher, ALPN, and a server name of 255 bytes at most (RFC 6066 section 3), escaped. */
const maxTlsNamesBytes = 6_144;
/** Four characters for three bytes, each of which the writer claims three bytes for. */
const bytesPerCertificateByte = 4;

function leastRing(messageBytes: number): number {
  let ringBytes = 65_536;
  while (maxMessageLength(ringBytes) < messageBytes) ringBytes *= 2;
  return ringBytes;
}
