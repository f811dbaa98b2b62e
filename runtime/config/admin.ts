/** The address of the admin listener. */
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { type ListenerAddress, parseAddress, type TcpAddress } from './address.ts';
import { isReported } from './checking.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { memberOf } from './member-of.ts';
import type { ConfigOutput } from './schema.ts';

export interface AdminConfig extends Omit<NonNullable<ConfigOutput['admin']>, 'address' | 'tokenFile'> {
  readonly address: TcpAddress;
  /** Absolute; null if there is no token. */
  readonly tokenFile: string | null;
}

const WHERE = '$.admin.address';

/**
 * The address of the section by its JSON path; none if there is no section or its address is invalid.
 * @param directory base of relative paths
 */
export function readAdminAddress(
  admin: unknown,
  directory: string,
  problems: ConfigProblem[],
): readonly { readonly where: string; readonly address: ListenerAddress }[] {
  const text = memberOf(admin, 'address');
  if (typeof text !== 'string' || isReported(WHERE, problems)) return [];
  const address = parseAddress(text, WHERE, directory);
  if (!('kind' in address)) {
    problems.push(address);
    return [];
  }
  if (address.kind !== 'tcp') {
    problems.push({
      code: ConfigErrorCode.WrongValue,
      where: WHERE,
      expected: 'a TCP address such as "127.0.0.1:9465"',
      received: describeValue(text),
      hint: 'the same endpoints are on the control socket, which is a Unix domain socket: see control.path',
    });
    return [];
  }
  if (!isLoopback(address.host) && memberOf(admin, 'tokenFile') === undefined) {
    problems.push({
      code: ConfigErrorCode.MissingKey,
      where: '$.admin.tokenFile',
      expected: `the path of a file with a token, since others can reach ${text}, and a client with access can read what the server does and stop it`,
      received: 'nothing',
      hint: 'or listen on 127.0.0.1 and reach it by a tunnel, as with ssh -L',
    });
  }
  return [{ where: WHERE, address }];
}

/** Decides by the name or the address. "localhost" counts as loopback: only the machine's administrator can change what it resolves to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** A name does not count, because it could resolve to another address later. */
export function isIpAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** Null if there is no such listener. */
export function assembleAdmin({ admin }: ConfigOutput, directory: string): AdminConfig | null {
  if (admin === undefined) return null;
  const [placed] = readAdminAddress(admin, directory, []);
  const tokenFile = admin.tokenFile === undefined ? null : resolve(directory, admin.tokenFile);
  return { ...admin, address: placed?.address as TcpAddress, tokenFile };
}
