/** An application out of its module: by its kind, with its lifespan, made native. Adapters are loaded when they are needed. */
import type { HostOptions } from '../../wire/control.ts';
import type { FromServerOptions } from '../adapters/node/from-server.ts';
import { fromGenerator } from '../faces/generator.ts';
import { fromHandler } from '../faces/handler.ts';
import type { Application, ApplicationKind, Lifespan } from '../gateway.ts';
import { canBe, describeValue, hasMethod, isFastify, KINDS, kindOf } from './kinds.ts';
import { Listening } from './listening.ts';

export interface Loaded {
  readonly application: Application;
  readonly lifespan: Lifespan;
}

/** An application of our own, made of options. What it needs to start is done when it resolves. */
interface BuiltInModule {
  create(options: unknown): Application | Promise<Application>;
}

export class KindError extends TypeError {
  readonly code = 'SLUICE_APPLICATION_KIND';
}

const NATIVE_KINDS: ReadonlySet<ApplicationKind> = new Set(['exchange', 'generator', 'handler']);

export async function load(options: HostOptions): Promise<Loaded> {
  if (options.applicationOptions !== undefined) {
    const module: BuiltInModule = await import(options.application);
    return { application: await module.create(options.applicationOptions), lifespan: {} };
  }
  const listening = new Listening();
  const module: { [name: string]: unknown } = await import(options.application);
  const { value, kind, lifespan } = await recognise(module, options.kind, listening);
  // What was written for a process of its own may listen at any time, and on more addresses than one.
  if (NATIVE_KINDS.has(kind) && listening.servers.length === 0) listening.end();
  const application = await adapt(kind, value, options);
  return { application: await validated(application, options), lifespan };
}

async function validated(application: Application, { validate }: HostOptions): Promise<Application> {
  if (validate !== true) return application;
  const validator = await import('../validator/validate.ts');
  return validator.validate(application);
}

interface Recognised {
  readonly value: unknown;
  readonly kind: ApplicationKind;
  readonly lifespan: Lifespan;
}

async function recognise(
  module: { readonly [name: string]: unknown },
  stated: ApplicationKind | undefined,
  listening: Listening,
): Promise<Recognised> {
  const own = module.default;
  const isWrapped = typeof own === 'object' && own !== null && 'application' in own;
  const value = isWrapped ? (own as { application: unknown }).application : own;
  const found = stated ?? kindOf(value);
  if (found !== null && (stated === undefined || canBe(found, value))) {
    const methods = isWrapped || found === 'handler' || found === 'fetch' ? lifespanOf(own) : {};
    return { value, kind: found, lifespan: { ...methods, ...lifespanOf(module) } };
  }
  // A program that listens exports nothing, and may take its time, or something else.
  const mayListen = stated === undefined || stated === 'server';
  const server =
    listening.servers[0] ?? (mayListen && exportsNothing(module) ? await listening.first : undefined);
  if (server !== undefined && mayListen) {
    return { value: server, kind: 'server', lifespan: lifespanOf(module) };
  }
  const what =
    'default' in module ? `its default export is ${describeValue(value)}` : `it exports ${names(module)}`;
  throw new KindError(
    stated === undefined
      ? `expected a default export that is an application (of the kind ${KINDS.join(', ')}), or a server that listens: ${what}`
      : `expected a default export of the kind '${stated}', as the pool says: ${what}`,
  );
}

/** As an ECMAScript module, or as a CommonJS one, whose exports are an object to begin with. */
function exportsNothing({
  default: own,
  'module.exports': _,
  ...others
}: {
  [name: string]: unknown;
}): boolean {
  const isBlank =
    own === undefined || (typeof own === 'object' && own !== null && Object.keys(own).length === 0);
  return isBlank && Object.keys(others).length === 0;
}

function names(module: object): string {
  return Object.keys(module).join(', ') || 'nothing';
}

function lifespanOf(value: unknown): Lifespan {
  const lifespan: { start?: Lifespan['start']; stop?: Lifespan['stop'] } = {};
  if (hasMethod(value, 'start')) lifespan.start = (context) => (value as Required<Lifespan>).start(context);
  if (hasMethod(value, 'stop')) lifespan.stop = () => (value as Required<Lifespan>).stop();
  return lifespan as Lifespan;
}

async function adapt(kind: ApplicationKind, value: unknown, options: HostOptions): Promise<Application> {
  const adapting: FromServerOptions = {
    ...(options.downgrade && { downgrade: options.downgrade }),
    maxWaitingBytes: options.writeBacklogBytes,
  };
  switch (kind) {
    case 'exchange':
      return value as Application;
    case 'generator':
      return fromGenerator(value as never);
    case 'handler':
      return fromHandler(value as never);
    case 'node': {
      const { fromNode } = await import('../adapters/node/from-node.ts');
      const isKoa = typeof value === 'object' && hasMethod(value, 'callback');
      return fromNode(isKoa ? (value as { callback(): never }).callback() : (value as never), adapting);
    }
    case 'server': {
      const { fromServer } = await import('../adapters/node/from-server.ts');
      if (!isFastify(value)) return fromServer(value as never, adapting);
      await value.ready();
      return fromServer(value.server as never, adapting);
    }
    case 'fetch': {
      const { fromFetch } = await import('../adapters/fetch/from-fetch.ts');
      const { installGlobals } = await import('../adapters/fetch/globals.ts');
      // Handlers look them up when they run, so it is early enough now that the module is there.
      installGlobals();
      return fromFetch(value as never, adapting);
    }
  }
}
