/**
 * What a thread of ours is started with: the environment and Node's flags, as this process has them, without what only the
 * process or its main thread is meant for.
 */
import { getCompileCacheDir } from 'node:module';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import {
  clinicToolOf,
  type NodeFlags,
  optionsWithout,
  optionsWithoutClinic,
  withoutClinic,
} from '../clinic/injected.ts';

export interface ThreadFlags {
  readonly env: NodeJS.ProcessEnv;
  /** Missing: Node hands on its own, of which it leaves out what no thread takes. */
  readonly execArgv?: string[];
}

/** What Node refuses to start a thread with; it says so of one flag, or of several. */
export interface ThreadJudge {
  /** Null when nobody knows. */
  refusedArguments(execArgv: readonly string[]): readonly string[] | null;
  /** The first flag in NODE_OPTIONS that no thread takes; null when there is none. */
  refusedOption(options: string): string | null;
}

/** What a pool has its threads started with on top of that. */
export interface OwnFlags {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
}

/** The flags of a pool's threads. */
export function flagsWith({ env, execArgv }: ThreadFlags, own: OwnFlags): ThreadFlags {
  const both = { env: environmentWith(env, own.env), ...(execArgv && { execArgv }) };
  if (own.execArgv.length === 0) return both;
  // Given flags of its own, Node hands on none of the process's.
  return { ...both, execArgv: [...(execArgv ?? argumentsTaken(process.execArgv, node)), ...own.execArgv] };
}

function environmentWith(env: NodeJS.ProcessEnv, own: OwnFlags['env']): NodeJS.ProcessEnv {
  // The process's own is looked at when a thread starts.
  if (Object.keys(own).length === 0) return env;
  // Sockets that systemd has passed are the server's.
  const { LISTEN_FDS: _descriptors, LISTEN_PID: _process, LISTEN_FDNAMES: _names, ...rest } = env;
  return { ...rest, ...own };
}

/** What of a pool's flags no thread can be started with. */
export function refusedFlags({ env, execArgv }: OwnFlags): {
  readonly execArgv: readonly string[];
  /** Of `NODE_OPTIONS` in `env`. */
  readonly option: string | null;
} {
  return {
    execArgv: execArgv.length === 0 ? [] : (node.refusedArguments(execArgv) ?? execArgv),
    option: env.NODE_OPTIONS === undefined ? null : node.refusedOption(env.NODE_OPTIONS),
  };
}

/** For every thread that is started from now on. */
export function threadFlags(): ThreadFlags {
  // A thread takes no part in the main thread's compile cache unless its environment names it; loading without is half as fast.
  const cache = getCompileCacheDir();
  const environment = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  return flagsForThreads({ execArgv: process.execArgv, environment }, node);
}

/**
 * Flags that are not the process's own, or that are handed over by hand, are judged by Node: one of the process's or of V8's among them,
 * and no thread starts. So those are left out; they have done what they do for all threads.
 */
export function flagsForThreads(flags: NodeFlags, judge: ThreadJudge): ThreadFlags {
  const { execArgv, environment } = flags;
  if (clinicToolOf(flags) === null) return { env: environment };
  const { NODE_OPTIONS: options = '', NODE_PATH: nodePath } = environment;
  const keptOptions = optionsWithoutClinic(options, nodePath);
  const kept = withoutClinic(execArgv, nodePath);
  return {
    env:
      keptOptions === options
        ? environment
        : { ...environment, NODE_OPTIONS: optionsTaken(keptOptions, judge) },
    ...(kept.length < execArgv.length && { execArgv: argumentsTaken(kept, judge) }),
  };
}

function optionsTaken(options: string, judge: ThreadJudge): string {
  let rest = options;
  for (let flag = judge.refusedOption(rest); flag !== null; flag = judge.refusedOption(rest)) {
    const name = flag;
    const kept = optionsWithout(rest, (text) => text.split('=', 1)[0] === name);
    // Node speaks of what is not there: rather threads without flags than none.
    if (kept === rest) return '';
    rest = kept;
  }
  return rest;
}

function argumentsTaken(execArgv: readonly string[], judge: ThreadJudge): string[] {
  let rest = [...execArgv];
  // Node stops at the value of a flag that it does not know, so what stands behind is heard of when that flag has gone.
  for (;;) {
    const out = judge.refusedArguments(rest);
    if (out === null) return [];
    if (out.length === 0) return rest;
    const isOut = (index: number) => out.includes(rest[index] ?? '');
    const isValue = (index: number) => isOut(index - 1) && !rest[index]?.startsWith('-');
    rest = rest.filter((_, index) => !isOut(index) && !isValue(index));
  }
}

/** No version of Node has this flag. */
const NO_FLAG = '--no-flag-of-any-version-of-node';

/**
 * Node alone knows, and tells only by refusing to start a thread. So that none is started when all are right, one more flag stands
 * behind them, which is wrong.
 */
export const node: ThreadJudge = {
  refusedArguments: (execArgv) => {
    const list = /invalid execArgv flags: (.+)$/s.exec(refusal({ execArgv: [...execArgv, NO_FLAG] }))?.[1];
    return list === undefined ? null : flagsIn(list, execArgv);
  },
  refusedOption: (options) => {
    const said = refusal({ env: { NODE_OPTIONS: `${options} ${NO_FLAG}` } });
    const flag = /NODE_OPTIONS env variable: (\S+?)=? is not allowed/.exec(said)?.[1];
    return flag === undefined || flag === NO_FLAG ? null : flag;
  },
};

function refusal(flags: Pick<WorkerOptions, 'env' | 'execArgv'>): string {
  try {
    new Worker('', { eval: true, ...flags });
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return '';
}

/** @param list flags of `execArgv` in their order, with commas between; a flag may have commas itself */
function flagsIn(list: string, execArgv: readonly string[]): string[] {
  const found: string[] = [];
  let rest = list;
  for (const flag of execArgv) {
    if (rest !== flag && !rest.startsWith(`${flag}, `)) continue;
    found.push(flag);
    rest = rest.slice(flag.length + 2);
  }
  return found;
}
