/** A server with a pool of callers and a pool of actors, and calls made from a caller's thread. */
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import {
  type PoolInput,
  type Scope,
  type ServerInput,
  startServer,
  type TestServer,
} from '../server/harness.ts';
import type { Asked, Outcome } from './applications/caller.ts';

export type ActorsInput = NonNullable<ConfigInput['actors']>;

export function actorModule(name: string): string {
  return fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
}

export const actors: ActorsInput = {
  counter: { pool: 'state', export: 'Counter', kind: 'keyed' },
  relay: { pool: 'state', export: 'Relay', kind: 'single' },
  tasks: { pool: 'tasks', export: 'Tasks', kind: 'pool' },
};

export interface ActorServer extends TestServer {
  /** Makes calls at once from one thread of the callers; what became of each. */
  ask(...asked: readonly Asked[]): Promise<Outcome[]>;
  /** The same, with fields of the request that has them made. */
  askWith(fields: Readonly<Record<string, string>>, ...asked: readonly Asked[]): Promise<Outcome[]>;
}

export interface ActorServerInput {
  readonly actors?: ActorsInput;
  /** Of the pools of actors. */
  readonly module?: string;
  readonly callers?: number;
  readonly state?: number;
  readonly tasks?: number;
  /** Of every pool. */
  readonly pool?: Partial<PoolInput>;
  readonly rest?: Partial<Omit<ConfigInput, 'pools' | 'routes'>>;
}

/** For tests that are run over both ways: how soon calls go over direct channels where a test says nothing else. */
let directChannels: NonNullable<ConfigInput['limits']>['directChannels'] = {};

export function goDirectly(after: typeof directChannels): void {
  directChannels = after;
}

/** What a server is started with, and what it is told to become. */
export function actorServerInput({
  actors: declared = actors,
  module = actorModule('state'),
  callers = 1,
  state = 2,
  tasks = 2,
  pool = {},
  rest = {},
}: ActorServerInput = {}): ServerInput {
  const exact = (count: number) => ({ min: count, max: count });
  return {
    pools: {
      callers: { application: actorModule('caller'), threads: exact(callers), ...pool },
      state: { module, threads: exact(state), ...pool },
      tasks: { module, threads: exact(tasks), ...pool },
    },
    routes: [{ path: '/*', pool: 'callers' }],
    actors: declared,
    ...rest,
    limits: { directChannels, ...rest.limits },
  };
}

export async function startActorServer(scope: Scope, input: ActorServerInput = {}): Promise<ActorServer> {
  const started = await startServer(scope, actorServerInput(input));
  const askWith: ActorServer['askWith'] = async (headers, ...asked) => {
    const response = await fetch(started.origin, { method: 'POST', body: JSON.stringify(asked), headers });
    if (response.status !== 200) throw new Error(`the caller answered ${response.status}`);
    return (await response.json()) as Outcome[];
  };
  return { ...started, askWith, ask: (...asked) => askWith({}, ...asked) };
}
