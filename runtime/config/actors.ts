/** Checks of actors against pools and routes, and the list of actors that the server runs. */
import { resolve } from 'node:path';
import { maxPayloadBytes } from '../../wire/actors/bounds.ts';
import { conflict, isReported, membersOf, type SmallestRing, smallestRing, unknownPool } from './checking.ts';
import { ConfigErrorCode, type ConfigProblem } from './errors.ts';
import { childPath } from './json-source.ts';
import { memberOf } from './member-of.ts';
import type { ConfigOutput } from './schema.ts';

type ActorOutput = ConfigOutput['actors'][string];

export interface ActorConfig extends Omit<ActorOutput, 'concurrency' | 'export'> {
  readonly name: string;
  readonly concurrency: number;
  /** Empty for the module itself. */
  readonly export: string;
}

const DEFAULT_CONCURRENCY = 16;

/** Every pool must have an application or actors, and every route must lead to an application. */
export function checkPoolModules(pools: unknown, routes: unknown, problems: ConfigProblem[]): void {
  for (const [name, pool] of membersOf(pools)) {
    const where = childPath(childPath('$.pools', name), 'application');
    if (typeof pool !== 'object' || pool === null || Array.isArray(pool)) continue;
    if ('application' in pool && pool.application !== undefined) continue;
    if (('module' in pool && pool.module !== undefined) || isReported(where, problems)) continue;
    problems.push({
      code: ConfigErrorCode.MissingKey,
      where,
      expected: 'the path of a module',
      received: 'nothing',
    });
  }
  if (!Array.isArray(routes)) return;
  for (const [index, route] of routes.entries()) {
    const name = memberOf(route, 'pool');
    const pool = typeof name === 'string' ? memberOf(pools, name) : undefined;
    if (pool === undefined || memberOf(pool, 'application') !== undefined) continue;
    if (memberOf(pool, 'module') === undefined) continue;
    problems.push(
      conflict(childPath(childPath('$.routes', index), 'pool'), 'a pool with an application', name),
    );
  }
}

/** Every actor must have a pool with a module, and every ring must fit its largest message. */
export function checkActors(actors: unknown, pools: unknown, problems: ConfigProblem[]): void {
  const ring = smallestRing(pools);
  for (const [name, actor] of membersOf(actors)) {
    const where = childPath('$.actors', name);
    const poolName = memberOf(actor, 'pool');
    if (typeof poolName === 'string' && !isReported('$.pools', problems)) {
      checkPool(childPath(where, 'pool'), poolName, pools, problems);
    }
    const concurrency = memberOf(actor, 'concurrency');
    const kind = memberOf(actor, 'kind');
    if (typeof concurrency === 'number' && concurrency > 1 && typeof kind === 'string' && kind !== 'pool') {
      problems.push(conflict(childPath(where, 'concurrency'), `1 of a ${kind} actor`, concurrency));
    }
    if (memberOf(actor, 'export') === undefined && typeof kind === 'string' && kind !== 'pool') {
      problems.push({
        code: ConfigErrorCode.MissingKey,
        where: childPath(where, 'export'),
        expected: `the name of an export, of a ${kind} actor`,
        received: 'nothing',
      });
    }
    checkSizes(where, actor, ring, problems);
  }
}

function checkPool(where: string, name: string, pools: unknown, problems: ConfigProblem[]): void {
  const names = membersOf(pools).map(([each]) => each);
  if (!names.includes(name)) {
    problems.push(unknownPool(where, name, names));
    return;
  }
  if (memberOf(memberOf(pools, name), 'module') !== undefined) return;
  problems.push({
    ...conflict(where, 'a pool with a module', name),
    hint: `the actor's class is an export of ${childPath(childPath('$.pools', name), 'module')}`,
  });
}

function checkSizes(
  where: string,
  actor: unknown,
  ring: SmallestRing | null,
  problems: ConfigProblem[],
): void {
  const path = childPath(where, 'maxMessageBytes');
  const most = memberOf(actor, 'maxMessageBytes');
  if (typeof most !== 'number' || isReported(path, problems)) return;
  for (const name of ['mailboxBytes', 'callerBytes']) {
    const room = memberOf(actor, name);
    if (typeof room !== 'number' || most <= room || isReported(childPath(where, name), problems)) continue;
    problems.push(conflict(path, `at most ${name} (${room})`, most));
    return;
  }
  const keyChars = memberOf(actor, 'maxKeyChars');
  if (ring === null || typeof keyChars !== 'number') return;
  const bound = maxPayloadBytes(ring.bytes, keyChars);
  if (most <= bound) return;
  problems.push({
    ...conflict(path, `at most ${bound}, so that half a ring holds a message`, most),
    hint: `or raise ${ring.where} (${ring.bytes})`,
  });
}

export function assembleActors({ actors }: ConfigOutput): Record<string, ActorConfig> {
  const assembled: Record<string, ActorConfig> = {};
  for (const [name, { concurrency, export: exported = '', ...actor }] of Object.entries(actors)) {
    const several = concurrency ?? DEFAULT_CONCURRENCY;
    assembled[name] = {
      ...actor,
      name,
      export: exported,
      concurrency: actor.kind === 'pool' ? several : 1,
    };
  }
  return assembled;
}

/** What threads of a pool load: an application, actors, or both. */
export function modulesOf(
  { application, module }: { application?: string | undefined; module?: string | undefined },
  directory: string,
): { application: string; module?: string; hasOnlyActors?: true } {
  const actors = module === undefined ? undefined : resolve(directory, module);
  if (application !== undefined) {
    return { application: resolve(directory, application), ...(actors !== undefined && { module: actors }) };
  }
  if (actors === undefined) throw new Error('a pool without an application and without a module');
  return { application: actors, module: actors, hasOnlyActors: true };
}
