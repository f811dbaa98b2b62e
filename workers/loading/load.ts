/** Loads an application: imports its module, recognises its kind, and adapts it to the native interface. Adapters load on demand. */
import type { HostOptions } from '../../wire/control.ts';
import { installBeforeModule, installBehindModule } from '../adapters/fetch/kept-globals.ts';
import type { FromServerOptions } from '../adapters/node/from-server.ts';
import { fromGenerator } from '../faces/generator.ts';
import { fromHandler } from '../faces/handler.ts';
import type { Application, ApplicationKind, Lifespan } from '../gateway.ts';
import { importApplication } from './evaluation.ts';
import {
  applicationOf,
  authored,
  describeExports,
  type Exported,
  lifespanOf,
  type ModuleExports,
} from './exports.ts';
import { nothingLeft } from './idle.ts';
import { hasMethod, isFastify, KINDS } from './kinds.ts';
import { Listening } from './listening.ts';
import { becomeProgram } from './program.ts';
import type { Shutdown } from './shutdown.ts';
import { locate } from './syntax-error.ts';

export interface Loaded {
  readonly application: Application;
  readonly lifespan: Lifespan;
  /** `keepAliveTimeout` of the application's server; absent if it has no server or has not set it. */
  readonly keepAliveTimeoutMs?: number;
  /** Called after the last exchange: closes the application's servers that are still open. */
  close?(): unknown;
}

/** A built-in application, made from options. It is ready when `create` resolves. */
interface BuiltInModule {
  create(options: unknown): Application | Promise<Application>;
}

/** Follows the name of an export that is a function and returns the application. */
const CALLED = '()';

export class KindError extends TypeError {
  readonly code = 'SLUICE_APPLICATION_KIND';
}

const NATIVE_KINDS: ReadonlySet<ApplicationKind> = new Set(['exchange', 'generator', 'handler']);

export async function load(options: HostOptions, shutdown: Shutdown): Promise<Loaded> {
  if (options.applicationOptions !== undefined) {
    const module: BuiltInModule = await import(options.application);
    return { application: await module.create(options.applicationOptions), lifespan: {} };
  }
  becomeProgram(options.application);
  // A module may keep references to globals while it is loaded.
  installBeforeModule(options.kind === 'fetch');
  const listening = new Listening(shutdown, options.port, options.binds);
  const imported = authored(await importModule(options.application));
  const module = await made(imported, options.export);
  const { value, kind, lifespan } = await recognise(module, options, listening);
  // A program written for a process of its own may listen at any time, and on several addresses.
  if (NATIVE_KINDS.has(kind) && !listening.hasHeard) listening.end();
  else listening.choose(value);
  const application = await adapt(kind, value, options);
  const close = closing(listening, kind, value);
  const wanted = kind === 'server' ? await keepAliveOf(value) : null;
  return {
    application: await validated(application, options),
    lifespan,
    close,
    ...(wanted !== null && { keepAliveTimeoutMs: wanted }),
  };
}

async function keepAliveOf(value: unknown): Promise<number | null> {
  const { keepAliveTimeoutOf } = await import('../adapters/node/server-settings.ts');
  return keepAliveTimeoutOf(isFastify(value) ? value.server : (value as object));
}

/** Emits `close` for the listeners that wait for it, as on Node. No other code closes an exported server. */
function closing(listening: Listening, kind: ApplicationKind, value: unknown): () => unknown {
  if (isFastify(value)) return () => value.close();
  if (kind !== 'server' || listening.hasHeard) return () => listening.closeServers();
  const server = value as NodeJS.EventEmitter;
  let state: 'open' | 'closed' = 'open';
  server.once('close', () => {
    state = 'closed';
  });
  return () => state === 'open' && server.emit('close');
}

async function importModule(application: string): Promise<ModuleExports> {
  try {
    return await importApplication(application);
  } catch (error) {
    throw await locate(error, application);
  }
}

async function validated(application: Application, { validate }: HostOptions): Promise<Application> {
  if (validate !== true) return application;
  const validator = await import('../validator/validate.ts');
  return validator.validate(application);
}

/**
 * For a pool's `export` such as `createApp()`: returns the module as if it exported the function's result under that name. A function
 * without a result may have started a server that listens.
 */
async function made(module: ModuleExports, name: string | undefined): Promise<ModuleExports> {
  if (name === undefined || !name.endsWith(CALLED)) return module;
  const factory = module[name.slice(0, -CALLED.length)];
  if (typeof factory !== 'function') {
    const own = describeExports(module, name.slice(0, -CALLED.length));
    throw new KindError(
      `expected an export that can be called, as the pool's \`export\` says '${name}': ${own}`,
    );
  }
  return { ...module, [name]: await factory() };
}

async function recognise(
  module: ModuleExports,
  { export: name, kind }: HostOptions,
  listening: Listening,
): Promise<Exported> {
  const { default: own } = module;
  const isDefault = name !== undefined || (own !== undefined && !isBlank(own));
  const exported = isDefault ? await applicationOf(module, name ?? 'default', kind) : null;
  if (exported !== null) return exported;
  // A program that listens need not export anything, and may listen some time after it was loaded.
  const isServer = kind === undefined || kind === 'server';
  const mayListen = isServer && (name === undefined || (name.endsWith(CALLED) && module[name] === undefined));
  const named =
    name === undefined && !listening.hasHeard ? await applicationOf(module, undefined, kind) : null;
  if (named !== null) return named;
  if (mayListen) {
    refuseSeveral(listening.ambiguous);
    const server = listening.chosen ?? (await Promise.race([listening.first, nothingLeft()]));
    if (server !== undefined) {
      return { value: server, kind: 'server', lifespan: lifespanOf(module) };
    }
  }
  const what = describeExports(module, name);
  throw new KindError(
    kind === undefined
      ? `expected ${name === undefined ? 'a default export' : `an export '${name}'`} that is an application (of the kind ${KINDS.join(', ')}), or a server that listens: ${what}`
      : `expected ${name === undefined ? 'a default export' : `an export '${name}'`} of the kind '${kind}', as the pool says: ${what}`,
  );
}

function refuseSeveral(ports: readonly number[]): void {
  if (ports.length === 0) return;
  throw new KindError(
    `expected one server that listens, found ${ports.length}, on the ports ${ports.join(', ')}: say by the pool's \`port\` which is ` +
      'the application. The others get no requests, since threads own no sockets, but those whose ports the pool names in `binds`',
  );
}

/** A CommonJS module's exports are an object to begin with. */
function isBlank(own: unknown): boolean {
  return typeof own === 'object' && own !== null && Object.keys(own).length === 0;
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
      // The adapter's modules load the platform's Fetch, so this comes before them.
      const areRequestsLazy = installBehindModule();
      const { fromFetch } = await import('../adapters/fetch/from-fetch.ts');
      const { installGlobals } = await import('../adapters/fetch/globals.ts');
      // Handlers look up the globals when they run, so installing them after the import is early enough.
      installGlobals(areRequestsLazy);
      return fromFetch(value as never, adapting);
    }
  }
}
