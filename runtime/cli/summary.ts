/** `sluice check`: a summary of the configuration, with defaults and overrides applied. */

import { relative } from 'node:path';
import type { Config } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import type { ListenerConfig } from '../config/listeners.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { describeThreads } from '../config/thread-range.ts';
import { type LibuvThreads, libuvThreadsVariable } from './libuv-threads.ts';

export function summarize(
  config: Config,
  overrides: ConfigOverrides,
  libuv: LibuvThreads,
  directory: string,
): string {
  const from = (key: keyof ConfigOverrides) => {
    const override = overrides[key];
    return override === undefined ? '' : ` (${override.source})`;
  };
  const protocols = config.http1.enabled ? 'HTTP/2 and HTTP/1.1' : 'HTTP/2';
  const pools = Object.values(config.pools);
  const nameWidth = Math.max(...pools.map(({ name }) => name.length));
  const patterns = config.routes.map(({ host, path }) => `${host === '*' ? '' : host}${path}`);
  const patternWidth = Math.max(...patterns.map((pattern) => pattern.length));
  return [
    `${relative(directory, config.file)} is valid`,
    '',
    'Listeners',
    ...config.listeners.map((listener) => {
      return `  ${listener.address.address}  ${protocols}, ${describeTransport(listener)}${from('listeners')}`;
    }),
    ...operatorLines(config),
    'Pools',
    ...pools.map(({ name, threads, application, applicationOptions: files }) => {
      const start = `  ${name.padEnd(nameWidth)}  ${describeThreads(threads)}`;
      if (files !== undefined) return `${start}, files of ${relative(directory, files.root) || '.'}`;
      return `${start}${from('threads')}, ${relative(directory, application)}`;
    }),
    ...actorLines(config, directory),
    'Routes, the most specific first',
    ...config.routes.map(({ pool }, index) => `  ${patterns[index].padEnd(patternWidth)}  ${pool}`),
    `Drain timeout  ${formatDuration(config.drainTimeoutMs)}${from('drainTimeoutMs')}`,
    `libuv threads  ${libuv.count}${libuv.isSet ? ` (${libuvThreadsVariable})` : ''}`,
    `Log level      ${config.log.level}${from('logLevel')}`,
    `Log format     ${config.log.format}${from('logFormat')}`,
    '',
  ].join('\n');
}

/** The listeners that no request for an application reaches. */
function operatorLines({ admin, monitoring }: Config): string[] {
  const lines: string[] = [];
  if (admin !== null) {
    const key =
      admin.tokenFile === null ? 'links of sluice dashboard' : 'a token, or links of sluice dashboard';
    lines.push('Admin', `  ${admin.address.address}  ${key}`);
  }
  if (monitoring !== null)
    lines.push('Monitoring', `  ${monitoring.address.address}  /livez, /readyz, /metrics`);
  return lines;
}

function actorLines({ actors, pools }: Config, directory: string): string[] {
  const all = Object.values(actors);
  if (all.length === 0) return [];
  const nameWidth = Math.max(...all.map(({ name }) => name.length));
  return [
    'Actors',
    ...all.map(({ name, kind, pool, export: exported }) => {
      const module = relative(directory, pools[pool]?.module ?? '');
      const what = exported === '' ? `the functions of ${module}` : `${exported} of ${module}`;
      return `  ${name.padEnd(nameWidth)}  ${kind}, ${what}, in ${pool}`;
    }),
  ];
}

function describeTransport({ tls, proxyProtocol }: ListenerConfig): string {
  const proxied = proxyProtocol === 'off' ? '' : `, PROXY protocol ${proxyProtocol}`;
  if (tls === null) return `cleartext${proxied}`;
  const certificates =
    tls.certificates.length === 0 ? 'a certificate for development' : plural(tls.certificates.length);
  const clients = !tls.requestCert
    ? ''
    : `, client certificates ${tls.rejectUnauthorized ? 'required' : 'asked for'}`;
  return `TLS with ${certificates}${clients}${tls.allowCleartext ? ', and cleartext' : ''}${proxied}`;
}

function plural(count: number): string {
  return count === 1 ? '1 certificate' : `${count} certificates`;
}
