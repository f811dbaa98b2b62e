/** Routes with files: each has a pool of its own that runs the built-in application. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Config, PoolConfig, StaticConfig } from './config.ts';
import { ConfigErrorCode, type ConfigProblem, describePath } from './errors.ts';
import { type ConfigOutput, poolSchema, ringSizes } from './schema.ts';

type RouteOutput = ConfigOutput['routes'][number];
type StaticOutput = NonNullable<RouteOutput['static']>;

const HERE = import.meta.url;
/** Beside the sources the modules are TypeScript, in what is published they are JavaScript. */
const application = fileURLToPath(
  new URL(`../../workers/static/app${HERE.slice(HERE.lastIndexOf('.'))}`, HERE),
);

const largestRing = ringSizes[ringSizes.length - 1] as (typeof ringSizes)[number];

/** The built-in module starts quickly. Only an overloaded machine or a hanging file system takes longer than this. */
const START_TIMEOUT_MS = 60_000;

/** A name that no pool in the file can have. It is unique, because no two routes have the same host and path. */
export function staticPoolName({ host, path }: RouteOutput): string {
  return `static ${host === '*' ? '' : host.toLowerCase()}${path}`;
}

/**
 * @param where JSON path of `files`
 * @param directory base of a relative root
 * @param leastRingBytes a request's head must fit
 */
export function staticPool(
  route: RouteOutput,
  files: StaticOutput,
  where: string,
  directory: string,
  leastRingBytes: number,
): PoolConfig {
  const { threads, exchangesPerThread, ...options } = files;
  const { module: _module, ...defaults } = v.parse(poolSchema, { application, exchangesPerThread });
  const applicationOptions: StaticConfig = {
    ...options,
    root: resolve(directory, files.root),
    path: route.path,
    where,
  };
  return {
    ...defaults,
    name: staticPoolName(route),
    application,
    applicationOptions,
    threads: { min: 1, max: threads },
    startTimeoutMs: START_TIMEOUT_MS,
    ringBytes:
      ringSizes.find((bytes) => bytes >= leastRingBytes && bytes >= defaults.ringBytes) ?? largestRing,
  };
}

/** Routes whose directory is missing, to report them before threads start. */
export function findMissingRoots({ pools }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const { applicationOptions: options } of Object.values(pools)) {
    if (options === undefined || isDirectory(options.root)) continue;
    const expected = 'a directory that exists and can be read';
    const received = describePath(options.root);
    problems.push({ code: ConfigErrorCode.RootMissing, where: `${options.where}.root`, expected, received });
  }
  return problems;
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Missing, or in a directory that may not be entered; either way its files cannot be served.
    return false;
  }
}
