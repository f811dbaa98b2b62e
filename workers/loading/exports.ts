/** Finds the application among a module's exports, in the forms that people write and compilers emit. */
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

/** Names under which an application may be exported when there is no default export. */
const NAMES = ['app', 'application', 'handler', 'listener', 'server'] as const;

/**
 * The module as its author wrote it. A compiler that emits CommonJS sets `__esModule` and puts the default export in `exports.default`,
 * which Node imports as `default.default`.
 */
export function authored(module: ModuleExports): ModuleExports {
  const own = module.default;
  const isCompiled = isObject(own) && own.__esModule === true;
  return isCompiled ? { ...own } : module;
}

/**
 * The application, or null. Exported promises are awaited.
 * @param name the export that the pool names; default: `default`, otherwise the only export whose name and shape are those of an application
 */
export async function applicationOf(
  module: ModuleExports,
  name: string | undefined,
  kind: ApplicationKind | undefined,
): Promise<Exported | null> {
  const { value: own } = await settled(module[name ?? 'default']);
  const found = recognise(own, kind, lifespanOf(module));
  if (found !== null || name !== undefined) return found;
  // `module.exports = { app }` becomes the default export.
  const members = isObject(own) ? own : module;
  // Bun, Deno and Workers serve a module that exports `fetch`.
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

/** Describes a module's exports for an error that expected an application. */
export function describeExports(module: ModuleExports, name: string | undefined): string {
  const { 'module.exports': _, ...exported } = module;
  const own = exported[name ?? 'default'];
  if (own !== undefined)
    return `its ${name === undefined ? 'default export' : `export '${name}'`} is ${describeValue(own)}`;
  const names = Object.keys(exported).filter((each) => exported[each] !== undefined);
  // An export that has the name but not the shape of an application is probably the one that its author means.
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

/** Awaits a promise. The value is boxed because a Fastify instance has a `then` of its own and must not be awaited. */
async function settled(value: unknown): Promise<{ readonly value: unknown }> {
  return { value: value instanceof Promise ? await value : value };
}

function isObject(value: unknown): value is ModuleExports {
  return typeof value === 'object' && value !== null;
}
