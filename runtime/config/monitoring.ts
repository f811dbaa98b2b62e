/** The address of the monitoring listener. */
import { type ListenerAddress, parseAddress, type TcpAddress, type UnixAddress } from './address.ts';
import { isReported } from './checking.ts';
import { ConfigErrorCode, type ConfigProblem } from './errors.ts';
import { memberOf } from './member-of.ts';
import type { ConfigOutput } from './schema.ts';

export type MonitoringAddress = TcpAddress | UnixAddress;

export interface MonitoringConfig extends Omit<NonNullable<ConfigOutput['monitoring']>, 'address'> {
  readonly address: MonitoringAddress;
}

const WHERE = '$.monitoring.address';

/**
 * The address of the section by its JSON path; none if there is no section or its address is invalid.
 * @param directory base of relative paths
 */
export function readMonitoringAddress(
  monitoring: unknown,
  directory: string,
  problems: ConfigProblem[],
): readonly { readonly where: string; readonly address: ListenerAddress }[] {
  const text = memberOf(monitoring, 'address');
  if (typeof text !== 'string' || isReported(WHERE, problems)) return [];
  const address = parseAddress(text, WHERE, directory);
  if (!('kind' in address)) {
    problems.push(address);
    return [];
  }
  if (address.kind === 'tcp' || address.kind === 'unix') return [{ where: WHERE, address }];
  problems.push({
    code: ConfigErrorCode.WrongValue,
    where: WHERE,
    expected: 'an address such as "127.0.0.1:9464" or "unix:/run/monitoring.sock"',
    received: JSON.stringify(text),
    hint: 'sockets that are passed to the process go to listeners',
  });
  return [];
}

/** Null if there is no such listener. */
export function assembleMonitoring({ monitoring }: ConfigOutput, directory: string): MonitoringConfig | null {
  if (monitoring === undefined) return null;
  const [placed] = readMonitoringAddress(monitoring, directory, []);
  return { ...monitoring, address: placed?.address as MonitoringAddress };
}
