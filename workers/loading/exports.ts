/** Which of a module's exports is its application, as people and tools write modules. */
import type { ApplicationKind, Lifespan } from '../gateway.ts';
import { canBe, describeValue, hasMethod, kindOf } from './kinds.ts';

export interface ModuleExports {
  readonly [name: string]: unknown;
}

export interface Exported {
  readonly value: unknown;
  readonly kind: ApplicationKind;
  readonly lifespan: Lifespan;
}

/** Names that an application is exported by where it is not the default. */
const NAMES = ['app', 'application', 'handler', 'listener', 'server'] as const;

/**
 * A module as its author sees it. What a compiler made a CommonJS module of says so by `__esModule`: its `exports.default` is the default
 * export, which Node hands over a level deeper.
 */
export function authored(module: ModuleExports): ModuleExports {
  const own = module.default;
  const isCompiled = isObject(own) && own.__esModule === true;
  return isCompiled ? { ...own } : module;
}

/**
 * The application, or null. Promises have been waited for.
 * @param name the export that the pool names; default: `default`, else the only one that is an application by its name and shape
 */
export async function applicationOf(
  module: ModuleExports,
  name: string | undefined,
  kind: ApplicationKind | undefined,
): Promise<Exported | null> {
  const { value: own } = await settled(module[name ?? 'default']);
  const found = recognise(own, kind, lifespanOf(module));
  if (found !== null || name !== undefined) return found;
  // `module.exports = { app }` has them in its default export, too.
  const members = isObject(own) ? own : module;
  // `export function fetch()` makes the module what Bun, Deno and Workers serve.
  if (hasMethod(members, 'fetch')) return recognise(members, kind, lifespanOf(module));
  const candidates: Exported[] = [];
  for (const each of NAMES) {
    const exported = recognise((await settled(members[each])).value, kind, lifespanOf(members));
    if (exported === null || candidates.some(({ value }) => value === exported.value)) continue;
    candidates.push(exported);
  }
  return candidates.length === 1 ? (candidates[0] as Exported) : null;
}

function recognise(own: unknown, stated: ApplicationKind | undefined, ofModule: Lifespan): Exported | null {
  const isWrapped = isObject(own) && 'application' in own;
  const value = isWrapped ? own.application : own;
  const kind = stated ?? kindOf(value);
  if (kind === null || (stated !== undefined && !canBe(stated, value))) return null;
  const ofValue = isWrapped || kind === 'handler' || kind === 'fetch' ? lifespanOf(own) : {};
  return { value, kind, lifespan: { ...ofValue, ...ofModule } };
}

/** What a module exports, for whoever expected an application. */
export function describeExports(module: ModuleExports, name: string | undefined): string {
  const { 'module.exports': _, ...exported } = module;
  const own = exported[name ?? 'default'];
  if (own !== undefined)
    return `its ${name === undefined ? 'default export' : `export '${name}'`} is ${describeValue(own)}`;
  const names = Object.keys(exported).filter((each) => exported[each] !== undefined);
  // One that has the name of an application, and not its shape, is what its author means.
  const meant = names.filter((each) => (NAMES as readonly string[]).includes(each));
  const described =
    meant.length === 1 ? `; '${meant[0]}' is ${describeValue(exported[meant[0] as string])}` : '';
  return `it exports ${names.join(', ') || 'nothing'}${described}`;
}

export function lifespanOf(value: unknown): Lifespan {
  const lifespan: { start?: Lifespan['start']; stop?: Lifespan['stop'] } = {};
  if (hasMethod(value, 'start')) lifespan.start = (context) => (value as Required<Lifespan>).start(context);
  if (hasMethod(value, 'stop')) lifespan.stop = () => (value as Required<Lifespan>).stop();
  return lifespan as Lifespan;
}

/** Boxed, as a Fastify instance has a `then` as well and is not to be waited for. */
async function settled(value: unknown): Promise<{ readonly value: unknown }> {
  return { value: value instanceof Promise ? await value : value };
}

function isObject(value: unknown): value is ModuleExports {
  return typeof value === 'object' && value !== null;
}
