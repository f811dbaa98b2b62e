/** Makes the running listeners from those of the file: parses addresses and ranges, resolves paths, finds contradictions. */

import { resolve } from 'node:path';
import * as v from 'valibot';
import { type ListenerAddress, parseAddress } from './address.ts';
import { type AddressRange, parseAddressRange } from './address-range.ts';
import { conflict } from './checking.ts';
import type { ConfigProblem } from './errors.ts';
import { childPath } from './json-source.ts';
import { type ListenerOutput, tlsSchema } from './listener-schema.ts';
import { memberOf } from './member-of.ts';

export interface ListenerConfig {
  readonly address: ListenerAddress;
  /** Mode of a `unix:` socket; null leaves it to the umask. */
  readonly permissions: number | null;
  /** Whether the paths of `health` are answered. */
  readonly health: boolean;
  readonly tls: TlsConfig | null;
  readonly proxyProtocol: ListenerOutput['proxyProtocol'];
  readonly maxProxyHeaderBytes: number;
  readonly trustedProxies: readonly AddressRange[];
  readonly forwardedFields: ListenerOutput['forwardedFields'];
}

type TlsOutput = NonNullable<ListenerOutput['tls']>;

export interface TlsConfig extends Omit<TlsOutput, 'certificates' | 'ca' | 'ticketKeys' | 'ciphers'> {
  /** JSON path of the section: files are read later than the configuration, and their errors name it. */
  readonly where: string;
  /** Empty for a self-signed certificate for developers, made at the start. */
  readonly certificates: readonly CertificateConfig[];
  readonly ciphers: string | null;
  /** Absolute paths, as all below. */
  readonly ca: readonly string[];
  readonly ticketKeys: string | null;
}

export interface CertificateConfig {
  readonly cert: string;
  readonly key: string;
  readonly passphraseFile: string | null;
}

/** An address and where it was configured. */
export interface PlacedAddress {
  readonly where: string;
  readonly address: ListenerAddress;
}

/** Parses the addresses of the file's listeners. Undefined stands for an invalid one, so that indices stay. */
export function readAddresses(
  listeners: unknown,
  directory: string,
  problems: ConfigProblem[],
): (PlacedAddress | undefined)[] {
  const entries = Array.isArray(listeners) ? listeners : [];
  return entries.map((entry, index) => {
    const address = memberOf(entry, 'address');
    if (typeof address !== 'string') return undefined;
    const where = childPath(childPath('$.listeners', index), 'address');
    const result = parseAddress(address, where, directory);
    if ('kind' in result) return { where, address: result };
    problems.push(result);
    return undefined;
  });
}

/** Two listeners on one address cannot both bind. Port 0 takes another free port each time. */
export function checkAddresses(placed: readonly PlacedAddress[], problems: ConfigProblem[]): void {
  const seen = new Map<string, string>();
  for (const { where, address } of placed) {
    if (address.kind === 'tcp' && address.port === 0) continue;
    const key = keyOf(address);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, where);
    else problems.push(conflict(where, `an address that ${first} does not have`, address.address));
  }
}

function keyOf(address: ListenerAddress): string {
  switch (address.kind) {
    case 'tcp':
      return `tcp ${address.host} ${address.port}`;
    case 'unix':
      return `unix ${address.path}`;
    case 'fd':
      return `fd ${address.fd}`;
    case 'systemd':
      return `systemd ${address.name}`;
  }
}

/** Contradictions between options of one listener. */
export function checkListeners(
  listeners: unknown,
  addresses: readonly (PlacedAddress | undefined)[],
  problems: ConfigProblem[],
): void {
  for (const [index, entry] of (Array.isArray(listeners) ? listeners : []).entries()) {
    const where = childPath('$.listeners', index);
    const address = addresses[index]?.address;
    const permissions = memberOf(entry, 'permissions');
    if (permissions !== undefined && address !== undefined && address.kind !== 'unix') {
      problems.push(conflict(`${where}.permissions`, 'permissions with a unix: address only', permissions));
    }
    readRanges(entry, where, problems);
    const proxyProtocol = memberOf(entry, 'proxyProtocol');
    const trusted = memberOf(entry, 'trustedProxies');
    if (proxyProtocol !== 'off' && typeof proxyProtocol === 'string' && isEmpty(trusted)) {
      problems.push({
        ...conflict(`${where}.proxyProtocol`, '"off" without trustedProxies', proxyProtocol),
        hint: 'name the proxies that may send the header in trustedProxies',
      });
    }
    checkTls(memberOf(entry, 'tls'), `${where}.tls`, problems);
  }
}

function checkTls(tls: unknown, where: string, problems: ConfigProblem[]): void {
  if (tls === undefined) return;
  const requestCert = memberOf(tls, 'requestCert');
  const ca = memberOf(tls, 'ca');
  if (requestCert === true && ca === undefined) {
    problems.push({
      ...conflict(`${where}.requestCert`, 'false without ca', requestCert),
      hint: 'name the CAs of the client certificates in ca',
    });
  }
  if (requestCert === false && ca !== undefined) {
    problems.push(conflict(`${where}.ca`, 'no ca without requestCert', ca));
  }
  if (memberOf(tls, 'minVersion') === 'TLSv1.3' && memberOf(tls, 'maxVersion') === 'TLSv1.2') {
    problems.push(conflict(`${where}.minVersion`, 'at most maxVersion ("TLSv1.2")', 'TLSv1.3'));
  }
}

function readRanges(entry: unknown, where: string, problems: ConfigProblem[]): AddressRange[] {
  const ranges: AddressRange[] = [];
  const texts = memberOf(entry, 'trustedProxies');
  for (const [index, text] of (Array.isArray(texts) ? texts : []).entries()) {
    if (typeof text !== 'string') continue;
    const range = parseAddressRange(text, childPath(`${where}.trustedProxies`, index));
    if ('family' in range) ranges.push(range);
    else problems.push(range);
  }
  return ranges;
}

/** A valid listener of the file, with every path resolved. */
export function assembleListener(
  output: ListenerOutput,
  index: number,
  address: ListenerAddress,
  directory: string,
): ListenerConfig {
  const where = childPath('$.listeners', index);
  return {
    address,
    permissions: output.permissions === undefined ? null : Number.parseInt(output.permissions, 8),
    health: output.health,
    tls: output.tls === undefined ? null : assembleTls(output.tls, `${where}.tls`, directory),
    proxyProtocol: output.proxyProtocol,
    maxProxyHeaderBytes: output.maxProxyHeaderBytes,
    trustedProxies: readRanges(output, where, []),
    forwardedFields: output.forwardedFields,
  };
}

/** The listener with a certificate for developers, unless it has TLS already. */
export function withDevelopmentTls(listener: ListenerConfig, index: number): ListenerConfig {
  if (listener.tls !== null) return listener;
  // Parsed for its defaults; the certificate is not in the file.
  const defaults = v.parse(tlsSchema, { certificates: [{ cert: '-', key: '-' }] });
  const tls = assembleTls(defaults, `${childPath('$.listeners', index)}.tls`, '/');
  return { ...listener, tls: { ...tls, certificates: [], watch: false } };
}

function assembleTls(output: TlsOutput, where: string, directory: string): TlsConfig {
  const absolute = (path: string | undefined) => (path === undefined ? null : resolve(directory, path));
  return {
    ...output,
    where,
    certificates: output.certificates.map(({ cert, key, passphraseFile }) => ({
      cert: resolve(directory, cert),
      key: resolve(directory, key),
      passphraseFile: absolute(passphraseFile),
    })),
    ciphers: output.ciphers ?? null,
    ca: (output.ca ?? []).map((path) => resolve(directory, path)),
    ticketKeys: absolute(output.ticketKeys),
  };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
