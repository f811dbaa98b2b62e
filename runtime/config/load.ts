/**
 * Makes the running configuration from a file: reads and parses it, checks it against the schema, applies values of the command line and the
 * environment, checks values against each other, and resolves paths. It collects all problems and throws once.
 */

import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { assembleActors, checkActors, checkPoolModules, modulesOf } from './actors.ts';
import type { ListenerAddress } from './address.ts';
import { assembleAdmin, readAdminAddress } from './admin.ts';
import type { Config, LogConfig, PoolConfig, RouteConfig } from './config.ts';
import {
  checkControlPath,
  checkHealth,
  checkOutputLimits,
  checkRings,
  checkRoutes,
  leastRingBytes,
  readThreads,
} from './cross-checks.ts';
import { type EffectiveValue, originOf } from './effective.ts';
import { ConfigError, ConfigErrorCode, type ConfigProblem, describePath, describeValue } from './errors.ts';
import { impliedText, isModuleName } from './implied.ts';
import { childPath, type JsonSource, JsonSyntaxError, type Place, parseJson } from './json-source.ts';
import {
  assembleListener,
  checkAddresses,
  checkListeners,
  type ListenerConfig,
  type PlacedAddress,
  readAddresses,
  withDevelopmentTls,
} from './listeners.ts';
import { assembleMonitoring, readMonitoringAddress } from './monitoring.ts';
import { compareRoutes } from './routes.ts';
import { type ConfigOutput, configSchema } from './schema.ts';
import { checkShape, expectedAt } from './shape.ts';
import { findMissingRoots, staticPool, staticPoolName } from './static.ts';
import type { ThreadRange } from './thread-range.ts';
import { assembleTopics, checkTopics } from './topics.ts';

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

/**
 * Loads the configuration file at `file` (relative to the working directory), or the configuration for a module.
 * @param known problems of the command line, to be reported together with the file's
 * @throws ConfigError with every problem
 */
export function loadConfig(
  file: string,
  overrides: ConfigOverrides = {},
  known: readonly ConfigProblem[] = [],
  parallelism: number = availableParallelism(),
): Config {
  let text = impliedText(file);
  try {
    text ??= readFileSync(file, 'utf8');
  } catch (error) {
    const problems = [...known, unreadable(error)];
    throw new ConfigError(titleOf(file, problems), problems);
  }
  return parseConfig(text, file, overrides, known, parallelism);
}

/** As `loadConfig`, for a given text. Errors name `file`, and paths are relative to it. */
export function parseConfig(
  text: string,
  file: string,
  overrides: ConfigOverrides = {},
  known: readonly ConfigProblem[] = [],
  parallelism: number = availableParallelism(),
): Config {
  const problems = [...known];
  const source = parseSource(text, file, problems);
  checkShape(configSchema, source.value, '$', problems);
  const result = v.safeParse(configSchema, source.value);
  for (const issue of result.issues ?? []) addIssue(issue, [], problems);
  // Fully typed only if there is no problem; the checks treat it as unknown.
  const output = result.output as ConfigOutput;
  const parts: unknown = result.output;
  const { addresses, threads } = crossCheck(parts, overrides, dirname(resolve(file)), parallelism, problems);
  if (problems.length > 0) throw new ConfigError(titleOf(file, problems), place(problems, source));
  const origin = originOf(
    output,
    source,
    insteadOf(output, source, addresses, threads, overrides),
    isModuleName(file) ? file : 'file',
  );
  return { ...assemble(output, resolve(file), addresses, threads, overrides), origin };
}

/** Pools whose application is missing and routes whose files are, to report them before threads start. */
export function findMissingApplications(config: Config): ConfigProblem[] {
  const modules = Object.values(config.pools).flatMap(({ name, application, module, hasOnlyActors }) => [
    ...(hasOnlyActors === true ? [] : [{ name, key: 'application', path: application }]),
    ...(module === undefined ? [] : [{ name, key: 'module', path: module }]),
  ]);
  const problems = modules
    .filter(({ path }) => !existsSync(path))
    .map(
      ({ name, key, path }): ConfigProblem => ({
        code: ConfigErrorCode.ApplicationMissing,
        where: childPath(childPath('$.pools', name), key),
        expected: 'a module that exists',
        received: describePath(path),
      }),
    );
  return [...problems, ...findMissingRoots(config)];
}

function parseSource(text: string, file: string, problems: ConfigProblem[]): JsonSource {
  // Editors on Windows write a byte order mark; RFC 8259 section 8.1 lets a parser ignore it.
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    const source = parseJson(content);
    for (const { path, place: at } of source.duplicates) {
      const expected = 'every key once in an object';
      const received = 'the key a second time';
      problems.push({ code: ConfigErrorCode.DuplicateKey, where: path, expected, received, ...at });
    }
    return source;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { expected, received, place: at } = error;
    problems.push({ code: ConfigErrorCode.Syntax, where: '$', expected, received, ...at });
    throw new ConfigError(titleOf(file, problems), problems);
  }
}

function unreadable(error: unknown): ConfigProblem {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const received = code === 'ENOENT' ? 'no such file' : String(error);
  const hint =
    'name another with --config FILE or SLUICE_CONFIG, or start an application without one: sluice start app.ts';
  const expected = 'a configuration file that can be read';
  return { code: ConfigErrorCode.FileUnreadable, where: '$', expected, received, hint };
}

/** Where the problems are: in the file, in flags and variables, or in both. */
function titleOf(file: string, problems: readonly ConfigProblem[]): string {
  const inFile = problems.filter(({ where }) => where.startsWith('$')).length;
  if (inFile === problems.length) return file;
  return inFile === 0 ? 'flags and variables' : `flags, variables and ${file}`;
}

/** An issue of the schema as a problem, unless the same place (or one around it) has been reported already. */
function addIssue(
  issue: v.GenericIssue,
  around: readonly (string | number)[],
  problems: ConfigProblem[],
): void {
  const ownKeys = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const keys = [...around, ...ownKeys];
  // Of several alternatives, the one that fits the value's type describes the problem.
  const within = issue.issues?.filter(({ path }) => path !== undefined && path.length > 0) ?? [];
  if (within.length > 0) {
    for (const inner of within) addIssue(inner, keys, problems);
    return;
  }
  const where = keys.reduce<string>(childPath, '$');
  const parents = keys.map((_, count) => keys.slice(0, count).reduce<string>(childPath, '$'));
  const reported = (path: string) => problems.some((problem) => problem.where === path);
  if (reported(where)) return;
  if (parents.some((path) => problems.some((problem) => problem.where === path && isWrongType(problem))))
    return;
  // checkShape reports unknown keys, because it finds all of them.
  if (issue.expected === 'never') return;
  const missing =
    issue.kind === 'schema' && issue.path?.at(-1)?.origin === 'key' && issue.input === undefined;
  if (missing) {
    const code = ConfigErrorCode.MissingKey;
    problems.push({ code, where, expected: expectedAt(configSchema, keys), received: 'nothing' });
    return;
  }
  const code =
    issue.kind === 'schema' && issue.type !== 'picklist'
      ? ConfigErrorCode.WrongType
      : ConfigErrorCode.WrongValue;
  problems.push({ code, where, expected: issue.message, received: describeValue(issue.input) });
}

function isWrongType(problem: ConfigProblem): boolean {
  return problem.code === ConfigErrorCode.WrongType;
}

function crossCheck(
  parts: unknown,
  overrides: ConfigOverrides,
  directory: string,
  parallelism: number,
  problems: ConfigProblem[],
) {
  const sections = sectionsOf(parts);
  const { listeners, pools, actors, topics, routes, http2, health, control, monitoring, admin } = sections;
  const fromFile = readAddresses(listeners, directory, problems);
  checkListeners(listeners, fromFile, problems);
  const effective =
    overrides.listeners === undefined
      ? fromFile.filter((placed) => placed !== undefined)
      : placeOverride(overrides.listeners);
  const managed = [
    ...readMonitoringAddress(monitoring, directory, problems),
    ...readAdminAddress(admin, directory, problems),
  ];
  checkAddresses([...effective, ...managed], problems);
  const threads = readThreads(pools, parallelism, problems);
  checkRoutes(routes, pools, problems);
  checkPoolModules(pools, routes, problems);
  checkActors(actors, pools, problems);
  checkTopics(topics, pools, problems);
  checkOutputLimits(http2, problems);
  checkHealth(health, problems);
  checkControlPath(control, directory, problems);
  checkRings(pools, sections, overrides.devTls?.value === true, problems);
  return { addresses: effective.map(({ address }) => address), threads };
}

type Sections = {
  readonly [Name in
    | 'listeners'
    | 'pools'
    | 'actors'
    | 'topics'
    | 'routes'
    | 'http1'
    | 'http2'
    | 'health'
    | 'control'
    | 'monitoring'
    | 'admin'
    | 'requestId']?: unknown;
};

function sectionsOf(parts: unknown): Sections {
  return typeof parts === 'object' && parts !== null ? parts : {};
}

function placeOverride({ value, source }: Override<readonly ListenerAddress[]>): PlacedAddress[] {
  return value.map((address) => ({ where: source, address }));
}

/**
 * Adds line and column to each problem of the file, and sorts problems in the file's order. A missing member gets the position of its object.
 * Flags and variables come first.
 */
function place(problems: readonly ConfigProblem[], source: JsonSource): ConfigProblem[] {
  const placed = problems.map((problem) =>
    problem.line === undefined ? { ...problem, ...placeOf(problem.where, source) } : problem,
  );
  return placed.sort(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  );
}

function placeOf(path: string, source: JsonSource): Place | undefined {
  if (!path.startsWith('$')) return undefined;
  const place = source.placeOf(path);
  if (place !== undefined) return place;
  const around = path.replace(/(?:\.[\w$-]+|\[[^[]*\])$/, '');
  return around === path ? undefined : placeOf(around, source);
}

/** Values in force instead of those in the file, or of those that it omits. */
function insteadOf(
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

function assemble(
  output: ConfigOutput,
  file: string,
  addresses: readonly ListenerAddress[],
  threads: ReadonlyMap<string, ThreadRange>,
  overrides: ConfigOverrides,
): Omit<Config, 'origin'> {
  const pools: Record<string, PoolConfig> = {};
  for (const [name, pool] of Object.entries(output.pools)) {
    const { application: _application, module: _module, ...settings } = pool;
    const range = overrides.threads?.value ?? threads.get(name);
    if (range === undefined) throw new Error(`no thread range was read for the pool ${name}`);
    pools[name] = { ...settings, name, ...modulesOf(pool, dirname(file)), threads: range };
  }
  const routes = output.routes.map((route, index): RouteConfig => {
    const { static: files, pool = staticPoolName(route) } = route;
    if (files !== undefined) {
      const where = childPath(childPath('$.routes', index), 'static');
      const ringBytes = leastRingBytes(output, overrides.devTls?.value === true);
      pools[pool] = staticPool(route, files, where, dirname(file), ringBytes);
    }
    return { ...route, host: route.host.toLowerCase(), pool };
  });
  return {
    file,
    listeners: assembleListeners(output, dirname(file), addresses, overrides),
    pools,
    actors: assembleActors(output),
    topics: assembleTopics(output),
    routes: routes.sort(compareRoutes),
    limits: output.limits,
    http2: output.http2,
    http1: output.http1,
    health: output.health,
    reload: output.reload,
    memory: output.memory,
    control: {
      ...output.control,
      path: output.control.path === undefined ? null : resolve(dirname(file), output.control.path),
    },
    monitoring: assembleMonitoring(output, dirname(file)),
    admin: assembleAdmin(output, dirname(file)),
    requestId: output.requestId ?? null,
    tracing: output.tracing ?? null,
    profiling: output.profiling,
    drainTimeoutMs: overrides.drainTimeoutMs?.value ?? output.drainTimeoutMs,
    drainDelayMs: output.drainDelayMs,
    log: {
      ...output.log,
      file: output.log.file === undefined ? null : resolve(dirname(file), output.log.file),
      level: overrides.logLevel?.value ?? output.log.level,
      format: overrides.logFormat?.value ?? output.log.format,
    },
  };
}

function assembleListeners(
  output: ConfigOutput,
  directory: string,
  addresses: readonly ListenerAddress[],
  overrides: ConfigOverrides,
): ListenerConfig[] {
  return addresses.map((address, position) => {
    const index = Math.min(position, output.listeners.length - 1);
    const listener = assembleListener(output.listeners[index], index, address, directory);
    return overrides.devTls?.value === true ? withDevelopmentTls(listener, index) : listener;
  });
}
