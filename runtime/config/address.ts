/**
 * The text form of a listener's address: `host:port`, `[IPv6]:port`, `unix:path`, `fd:3` for a socket that the process
 * inherited, `systemd:name` for those of systemd's socket activation.
 */

import { isIPv4, isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';

/** Each has `address`, the text as it was written, which logs and errors show. */
export type ListenerAddress = TcpAddress | UnixAddress | FdAddress | SystemdAddress;

export interface TcpAddress {
  readonly kind: 'tcp';
  readonly address: string;
  /** A host name, or an IP address without brackets, as `net.Server.listen` expects it. */
  readonly host: string;
  /** 0 asks the system for a free port. */
  readonly port: number;
}

export interface UnixAddress {
  readonly kind: 'unix';
  readonly address: string;
  /** Absolute. */
  readonly path: string;
}

export interface FdAddress {
  readonly kind: 'fd';
  readonly address: string;
  readonly fd: number;
}

export interface SystemdAddress {
  readonly kind: 'systemd';
  readonly address: string;
  /** Its name in the socket unit (`FileDescriptorName=`); `*` for every socket that was passed. */
  readonly name: string;
}

const expected =
  'an address such as "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock", "fd:3" or "systemd:app"';

/** The coarse shape, for editors only; the messages of `parseAddress` say exactly what is wrong. */
export const addressPattern =
  '^((\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}|unix:.+|fd:[0-9]+|systemd:.+)$';

const hostName = /^(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*$/;

/** `sun_path` less its terminating NUL; macOS has four bytes less than Linux's 108. */
export const maxUnixPathBytes = process.platform === 'linux' ? 107 : 103;

/** URLs and paths are common mistakes here; the error says what to write instead. */
const otherForms: readonly (readonly [prefix: RegExp, hint: string])[] = [
  [/^(?:https|tls):/, 'TLS is switched on by "tls" beside the address'],
  [/^http:/, 'the address alone, without a scheme'],
  [/^\.{0,2}\//, 'a Unix domain socket is written as "unix:" and its path'],
];

/** Returns the address, or what is wrong with it. @param directory the base of a relative path of a Unix domain socket */
export function parseAddress(
  text: string,
  where: string,
  directory: string,
): ListenerAddress | ConfigProblem {
  for (const [form, hint] of otherForms) if (form.test(text)) return wrong(text, where, hint);
  const scheme = /^(unix|fd|systemd):(.*)$/s.exec(text);
  if (scheme !== null) return parseLocal(text, where, scheme[1], scheme[2], directory);
  const colon = text.lastIndexOf(':');
  const written = text.slice(0, colon);
  const portText = text.slice(colon + 1);
  if (colon === -1 || isIPv6(text)) return wrong(text, where, hintWithoutPort(text));
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65535)) return wrong(text, where, 'the port is a number from 0 to 65535');
  const host = hostOf(written);
  if (host === undefined) return wrong(text, where, hintForHost(written, portText));
  return { kind: 'tcp', address: text, host, port };
}

function parseLocal(
  address: string,
  where: string,
  scheme: string,
  rest: string,
  directory: string,
): ListenerAddress | ConfigProblem {
  if (scheme === 'unix') {
    if (rest === '' || rest.includes('\0')) return wrong(address, where, 'a path follows "unix:"');
    const path = resolve(directory, rest);
    // The system would cut off a longer path and bind another file.
    if (Buffer.byteLength(path) <= maxUnixPathBytes) return { kind: 'unix', address, path };
    return wrong(address, where, `the absolute path has at most ${maxUnixPathBytes} bytes`);
  }
  if (scheme === 'fd') {
    const fd = /^\d{1,7}$/.test(rest) ? Number(rest) : Number.NaN;
    if (fd >= 3) return { kind: 'fd', address, fd };
    return wrong(address, where, 'a descriptor from 3 on: 0, 1 and 2 are the standard streams');
  }
  if (rest === '*' || /^[^\s:]{1,255}$/.test(rest)) return { kind: 'systemd', address, name: rest };
  return wrong(address, where, 'the FileDescriptorName of a socket unit, or "*" for all sockets');
}

function hintWithoutPort(text: string): string {
  return isIPv6(text)
    ? `an IPv6 address is written in brackets before its port: "[${text}]:8080"`
    : 'the port is missing';
}

function hostOf(written: string): string | undefined {
  if (written.startsWith('[') && written.endsWith(']')) {
    const inner = written.slice(1, -1);
    return isIPv6(inner) ? inner : undefined;
  }
  // Text of digits and dots only is an IPv4 address or a mistake in one, and never a name.
  if (/^[\d.]+$/.test(written)) return isIPv4(written) ? written : undefined;
  return hostName.test(written) ? written.toLowerCase() : undefined;
}

function hintForHost(written: string, port: string): string {
  if (written === '' || written === '*') {
    return `"0.0.0.0:${port}" listens on every IPv4 address, "[::]:${port}" on every IPv6 address`;
  }
  if (isIPv6(written)) return `an IPv6 address is written in brackets: "[${written}]:${port}"`;
  return `${describeValue(written)} is no host name and no IP address`;
}

function wrong(text: string, where: string, hint: string): ConfigProblem {
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(text), hint };
}
