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
import type { Config, PoolConfig, RouteConfig } from './config.ts';
import {
  checkControlPath,
  checkHealth,
  checkOutputLimits,
  checkRings,
  checkRoutes,
  leastRingBytes,
  readThreads,
} from './cross-checks.ts';
import { originOf } from './effective.ts';
import { ConfigError, ConfigErrorCode, type ConfigProblem, describePath } from './errors.ts';
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
import { type ConfigOverrides, insteadOf, type Override } from './overrides.ts';
import { compareRoutes } from './routes.ts';
import { type ConfigOutput, configSchema } from './schema.ts';
import { addIssue } from './schema-issues.ts';
import { checkShape } from './shape.ts';
import { findMissingRoots, staticPool, staticPoolName } from './static.ts';
import type { ThreadRange } from './thread-range.ts';
import { assembleTopics, checkTopics } from './topics.ts';

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
    'name another with --config FILE or SLUICE_CONFIG; without one, name the application: sluice start app.ts, sluice stop app.ts';
  const expected = 'a configuration file that can be read';
  return { code: ConfigErrorCode.FileUnreadable, where: '$', expected, received, hint };
}

/** Where the problems are: in the file, in flags and variables, or in both. */
function titleOf(file: string, problems: readonly ConfigProblem[]): string {
  const inFile = problems.filter(({ where }) => where.startsWith('$')).length;
  if (inFile === problems.length) return file;
  return inFile === 0 ? 'flags and variables' : `flags, variables and ${file}`;
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
