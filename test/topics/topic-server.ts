/** A server with pools that publish and subscribe as tests say. */
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { type PoolInput, type Scope, startServer, type TestServer } from '../server/harness.ts';
import type { Message, Step, Told } from './applications/member.ts';

export const MEMBER: string = fileURLToPath(new URL('applications/member.ts', import.meta.url));

export interface TopicServer extends TestServer {
  /** What came of steps that a thread of this pool takes, one after the other. */
  tell(pool: string, ...steps: readonly Step[]): Promise<Told[]>;
  /** The values of steps that must not fail. */
  run(pool: string, ...steps: readonly Step[]): Promise<unknown[]>;
  /** Ends a thread without a word, as the machine's memory or a fault of native code would. */
  kill(thread: string): void;
}

/** Each pool has one thread, so that a test knows which. */
export async function startTopicServer(
  scope: Scope,
  pools: readonly string[],
  topics: ConfigInput['topics'] = {},
  pool: Partial<PoolInput> = {},
): Promise<TopicServer> {
  const one: PoolInput = { application: MEMBER, threads: { min: 1, max: 1 }, ...pool };
  const started = await startServer(scope, {
    pools: Object.fromEntries(pools.map((name) => [name, one])),
    topics,
  });
  const tell = async (name: string, ...steps: readonly Step[]): Promise<Told[]> => {
    const response = await fetch(`${started.origin}/${name}/`, {
      method: 'POST',
      body: JSON.stringify(steps),
    });
    if (response.status !== 200) throw new Error(`${name} answered ${response.status}`);
    return (await response.json()) as Told[];
  };
  const run = async (name: string, ...steps: readonly Step[]): Promise<unknown[]> =>
    (await tell(name, ...steps)).map(({ value, error }) => {
      if (error !== undefined) throw new Error(`${error.code}: ${error.message}`);
      return value;
    });
  const kill = (name: string): void => {
    for (const each of started.server.parts.pools) {
      for (const thread of each.threads) if (thread.name === name) void each.workerOf(thread)?.terminate();
    }
  };
  return { ...started, tell, run, kill };
}

export interface Taken {
  readonly messages: readonly Message[];
  readonly ended?: true;
  readonly failed?: string;
}

/** The numbers of one publisher's messages, in the order in which they came. */
export function numbersOf({ messages }: Taken, from: string): number[] {
  return messages.filter((message) => message.from === from).map(({ n }) => n);
}

export function upTo(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, n) => first + n);
}
