/** Loads the actors of a pool from their module: each is an exported class, or all exported functions together. */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { importApplication } from '../loading/evaluation.ts';
import { describeValue } from '../loading/kinds.ts';
import type { HostedCall } from './hosted-call.ts';
import type { AnyMethod, HostedActor, HostedMethod } from './instance.ts';
import type { ActorContext } from './types.ts';

export class ActorLoadError extends TypeError {
  readonly code = 'SLUICE_ACTOR_INVALID';
}

export type AnyClass = new (...args: unknown[]) => object;

/** Names of methods that a client's own members would hide. */
const TAKEN = new Set(['of', 'tell', 'each', 'then']);
const OWN = new Set(['constructor', 'start', 'stop']);

export async function loadActors(
  module: string,
  hosted: readonly (readonly [index: number, settings: ActorSettings])[],
): Promise<HostedActor<HostedCall>[]> {
  const exported: { readonly [name: string]: unknown } = await importApplication(module);
  return hosted.map(([index, settings]) => {
    if (settings.export === '') return functionsActor(index, settings, exported);
    const Class = exported[settings.export];
    if (!isClass(Class)) {
      const got =
        settings.export in exported
          ? describeValue(Class)
          : `a module that exports ${Object.keys(exported).join(', ') || 'nothing'}`;
      throw new ActorLoadError(
        `actor ${settings.name}: expected ${module} to export a class ${settings.export}, got ${got}`,
      );
    }
    return hostedActor(index, settings, Class);
  });
}

/** @throws ActorLoadError when the class is none that can be an actor */
export function hostedActor(
  index: number,
  settings: ActorSettings,
  Class: AnyClass,
): HostedActor<HostedCall> {
  return {
    index,
    settings,
    create: (context: ActorContext) =>
      settings.kind === 'keyed' ? new Class(context.key, context) : new Class(context),
    methods: methodsOf(Class, settings.name),
    instances: new Map(),
  };
}

/**
 * Task functions: the functions of a module are the methods, and those named `start` and `stop` begin and end it.
 * @throws ActorLoadError when there are none, or one has a name that clients have themselves
 */
export function functionsActor(
  index: number,
  settings: ActorSettings,
  module: { readonly [name: string]: unknown },
): HostedActor<HostedCall> {
  const methods = new Map<string, HostedMethod>();
  for (const [name, value] of Object.entries(module)) {
    if (typeof value !== 'function' || isClassSyntax(value) || name === 'default' || OWN.has(name)) continue;
    methods.set(name, methodOf(name, value as AnyMethod, NONE, settings.name));
  }
  if (methods.size === 0) {
    throw new ActorLoadError(
      `actor ${settings.name}: expected a module that exports functions, got one that exports ${Object.keys(module).join(', ') || 'nothing'}; name its class by export`,
    );
  }
  const { start, stop } = module;
  return {
    index,
    settings,
    create: (context: ActorContext) => ({
      start: () => (typeof start === 'function' ? start(context) : undefined),
      stop: () => (typeof stop === 'function' ? stop() : undefined),
    }),
    methods,
    instances: new Map(),
  };
}

const NONE: ReadonlySet<string> = new Set();

/** Declared with `class`, so that `new` gives an instance. */
function isClassSyntax(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

function methodOf(
  name: string,
  run: AnyMethod,
  interleave: ReadonlySet<string>,
  actor: string,
): HostedMethod {
  if (TAKEN.has(name)) {
    throw new ActorLoadError(
      `actor ${actor}: expected a method of another name than ${[...TAKEN].join(', ')}, which clients have themselves; got ${name}`,
    );
  }
  return {
    run,
    interleaves: interleave.has(name),
    streams: Object.prototype.toString.call(run) === '[object AsyncGeneratorFunction]',
    parameters: Math.max(0, run.length - 1),
  };
}

function isClass(value: unknown): value is AnyClass {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}

/** Those of its prototypes, up to Object's. They are looked up once: what an instance gets later is not to be called from outside. */
export function methodsOf(Class: AnyClass, actor: string): Map<string, HostedMethod> {
  const interleave = interleaving(Class, actor);
  const methods = new Map<string, HostedMethod>();
  for (
    let prototype: object | null = Class.prototype as object;
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value !== 'function' || OWN.has(name) || methods.has(name)) continue;
      methods.set(name, methodOf(name, value as AnyMethod, interleave, actor));
    }
  }
  for (const name of interleave) {
    if (methods.has(name)) continue;
    throw new ActorLoadError(
      `actor ${actor}: expected methods in static interleave, got ${JSON.stringify(name)}; there are ${[...methods.keys()].join(', ')}`,
    );
  }
  return methods;
}

function interleaving(Class: AnyClass, actor: string): Set<string> {
  const list: unknown = (Class as { interleave?: unknown }).interleave ?? [];
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return new Set(list);
  throw new ActorLoadError(
    `actor ${actor}: expected static interleave to be a list of names, got ${describeValue(list)}`,
  );
}
