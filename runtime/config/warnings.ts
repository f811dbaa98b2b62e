/** Warnings about valid configurations with consequences that an operator should know. */
import type { Config } from './config.ts';

export interface ConfigWarning {
  readonly code: 'SLUICE_CONFIG_OVERCOMMITTED';
  /** A JSON path into the file. */
  readonly where: string;
  readonly message: string;
}

export function warningsOf({ http2 }: Pick<Config, 'http2'>): ConfigWarning[] {
  const { maxConcurrentStreams, streamWindowBytes, connectionWindowBytes } = http2;
  const windowsBytes = maxConcurrentStreams * streamWindowBytes;
  if (windowsBytes <= connectionWindowBytes) return [];
  const stalled = Math.ceil(connectionWindowBytes / streamWindowBytes);
  const uploads =
    stalled === 1 ? 'one upload that nobody reads takes' : `${stalled} uploads that nobody reads take`;
  return [
    {
      code: 'SLUICE_CONFIG_OVERCOMMITTED',
      where: '$.http2.connectionWindowBytes',
      message:
        `${uploads} all of ${connectionWindowBytes} bytes, and the other uploads of their connection wait; ` +
        `maxConcurrentStreams × streamWindowBytes is ${windowsBytes}: raise it to that, or lower one of them`,
    },
  ];
}
