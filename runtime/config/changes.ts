/**
 * Differences between two configurations that a running server cannot apply: the sockets that it listens on, the control socket, and settings of
 * objects that live as long as the server.
 */
import type { Config } from './config.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';
import type { ListenerConfig } from './listeners.ts';

/**
 * Finds the settings of `after` that a server running `before` cannot apply.
 * @returns a problem for each, by its JSON path
 */
export function fixedProblems(before: Config, after: Config): ConfigProblem[] {
  const now = new Map(fixedValues(before));
  const problems: ConfigProblem[] = [];
  for (const [where, value] of fixedValues(after)) {
    const running = now.get(where);
    if (isEqual(running, value)) continue;
    problems.push({
      code: ConfigErrorCode.Fixed,
      where,
      expected: `${describeValue(running)}, which is what runs`,
      received: describeValue(value),
      hint: 'restart the server to change it',
    });
  }
  return problems;
}

/** By JSON path. A path that only one configuration has implies another difference: the number of listeners, or whether they have TLS. */
function* fixedValues(config: Config): Generator<[where: string, value: unknown]> {
  const { listeners, http1, control, monitoring, admin, profiling, log, actors, topics, limits } = config;
  yield ['$.listeners.length', listeners.length];
  for (const [index, listener] of listeners.entries()) {
    yield* fixedOfListener(childPath('$.listeners', index), listener);
  }
  // Threads that stay know the actors by number.
  yield ['$.actors', Object.keys(actors).join(', ')];
  for (const [name, actor] of Object.entries(actors)) {
    for (const [key, value] of Object.entries(actor))
      yield [childPath(childPath('$.actors', name), key), value];
  }
  for (const [name, value] of Object.entries(limits.directChannels)) {
    yield [childPath('$.limits.directChannels', name), value];
  }
  yield ['$.topics', topics === null ? undefined : 'topics'];
  for (const [name, value] of Object.entries(topics ?? {})) yield [childPath('$.topics', name), value];
  // ALPN offers the protocols that are enabled.
  yield ['$.http1.enabled', http1.enabled];
  for (const [name, value] of Object.entries(control)) yield [childPath('$.control', name), value];
  yield ['$.monitoring', monitoring === null ? undefined : 'a monitoring listener'];
  for (const [name, value] of Object.entries(monitoring ?? {}))
    yield [`$.monitoring.${name}`, name === 'address' ? monitoring?.address.address : value];
  yield ['$.admin', admin === null ? undefined : 'an admin listener'];
  for (const [name, value] of Object.entries(admin ?? {}))
    yield [`$.admin.${name}`, name === 'address' ? admin?.address.address : value];
  for (const [name, value] of Object.entries(profiling)) yield [childPath('$.profiling', name), value];
  const { level: _level, access: _access, ...output } = log;
  for (const [name, value] of Object.entries(output)) yield [childPath('$.log', name), value];
}

function* fixedOfListener(where: string, listener: ListenerConfig): Generator<[string, unknown]> {
  const { address, permissions, tls } = listener;
  yield [`${where}.address`, address.address];
  yield [`${where}.permissions`, permissions === null ? undefined : permissions.toString(8)];
  yield [`${where}.tls`, tls === null ? undefined : 'TLS'];
  if (tls === null) return;
  yield [`${where}.tls.requestCert`, tls.requestCert];
  yield [`${where}.tls.rejectUnauthorized`, tls.rejectUnauthorized];
  yield [`${where}.tls.handshakeTimeoutMs`, tls.handshakeTimeoutMs];
  yield [`${where}.tls.sessionLifetimeSeconds`, tls.sessionLifetimeSeconds];
  yield [`${where}.tls.ticketRotationMs`, tls.ticketRotationMs];
  yield [`${where}.tls.ticketKeys`, tls.ticketKeys === null ? undefined : 'a file'];
  yield [`${where}.tls.certificates`, tls.certificates.length === 0 ? 'one for development' : undefined];
}

/** JSON paths where two configurations differ: values, or whole objects that one of them lacks. Arrays count as one value, except listeners. */
export function changedPlaces(before: Config, after: Config): string[] {
  const places: string[] = [];
  compare('$', comparable(before), comparable(after), places);
  return places;
}

/** Members that the file omits are left out. */
function comparable({ file: _, origin: __, routes, listeners, ...config }: Config): object {
  return {
    ...config,
    listeners: Object.fromEntries(listeners.entries()),
    routes: routes.map((route) => ({ ...route })),
  };
}

function compare(where: string, before: unknown, after: unknown, places: string[]): void {
  if (isEqual(before, after)) return;
  if (!isRecord(before) || !isRecord(after)) {
    places.push(where);
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(placeOf(where, key), before[key], after[key], places);
  }
}

function placeOf(where: string, key: string): string {
  return childPath(where, where === '$.listeners' ? Number(key) : key);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares parts of configurations: plain objects, arrays and scalars. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((value, index) => isEqual(value, other[index]));
  }
  if (!isRecord(one) || !isRecord(other)) return false;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) =>
    isEqual(one[key], other[key]),
  );
}
