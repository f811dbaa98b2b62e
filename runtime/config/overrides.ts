/** Values of the command line and the environment that override those of the file. */
import type { ListenerAddress } from './address.ts';
import type { LogConfig } from './config.ts';
import type { EffectiveValue } from './effective.ts';
import { childPath, type JsonSource, type Place } from './json-source.ts';
import type { ConfigOutput } from './schema.ts';
import type { ThreadRange } from './thread-range.ts';

/** Values that override the file's, each already checked, with the flag or variable that set it. */
export interface ConfigOverrides {
  /** The n-th replaces the address of the file's n-th listener and keeps its other options; further ones use the options of the last. */
  readonly listeners?: Override<readonly ListenerAddress[]>;
  /** Listeners without TLS get it, with a certificate that is made at the start. */
  readonly devTls?: Override<boolean>;
  /** For every pool of the file. */
  readonly threads?: Override<ThreadRange>;
  readonly drainTimeoutMs?: Override<number>;
  readonly logLevel?: Override<LogConfig['level']>;
  readonly logFormat?: Override<LogConfig['format']>;
}

export interface Override<Value> {
  readonly value: Value;
  /** `--address` or `SLUICE_ADDRESS`. */
  readonly source: string;
}

/** Values in force instead of those in the file, or of those that it omits, for the configuration's origin. */
export function insteadOf(
  { listeners, pools }: ConfigOutput,
  source: JsonSource,
  addresses: readonly ListenerAddress[],
  threads: ReadonlyMap<string, ThreadRange>,
  { listeners: listening, devTls, threads: range, drainTimeoutMs, logLevel, logFormat }: ConfigOverrides,
): EffectiveValue[] {
  const values: EffectiveValue[] = [];
  for (const name of Object.keys(pools)) {
    const where = childPath(childPath('$.pools', name), 'threads');
    for (const end of ['min', 'max'] as const) {
      const place = source.placeOf(childPath(where, end)) ?? numberAt(where, source);
      const from =
        range?.source !== undefined
          ? { source: range.source }
          : place === undefined
            ? { source: 'default' }
            : { source: 'file', line: place.line };
      const value = range?.value[end] ?? threads.get(name)?.[end];
      values.push({ where: childPath(where, end), value, ...from });
    }
  }
  for (const [index, { address }] of (listening === undefined ? [] : addresses).entries())
    values.push({
      where: `${childPath('$.listeners', index)}.address`,
      value: address,
      source: listening?.source ?? '',
    });
  if (devTls?.value === true)
    for (const [index, { tls }] of listeners.entries())
      if (tls === undefined)
        values.push({
          where: `${childPath('$.listeners', index)}.tls`,
          value: 'a certificate for development',
          source: devTls.source,
        });
  const single = { '$.drainTimeoutMs': drainTimeoutMs, '$.log.level': logLevel, '$.log.format': logFormat };
  for (const [where, override] of Object.entries(single))
    if (override !== undefined) values.push({ where, value: override.value, source: override.source });
  return values;
}

/** `threads: 4` sets min and max. */
function numberAt(where: string, source: JsonSource): Place | undefined {
  return source.placeOf(`${where}.min`) === undefined && source.placeOf(`${where}.max`) === undefined
    ? source.placeOf(where)
    : undefined;
}
