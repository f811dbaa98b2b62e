/**
 * The environment and Node's flags with which threads are started: those of this process, without what is meant only for the process or
 * its main thread.
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
  /** Absent: Node passes on the process's flags itself, without those that no thread takes. */
  readonly execArgv?: string[];
}

/** Finds out with which flags Node refuses to start a thread. */
export interface ThreadJudge {
  /** Null: Node did not say. */
  refusedArguments(execArgv: readonly string[]): readonly string[] | null;
  /** The first flag in NODE_OPTIONS that no thread takes; null when there is none. */
  refusedOption(options: string): string | null;
}

/** The environment and flags that a pool adds. */
export interface OwnFlags {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
}

/** The flags of a pool's threads. */
export function flagsWith({ env, execArgv }: ThreadFlags, own: OwnFlags): ThreadFlags {
  const both = { env: environmentWith(env, own.env), ...(execArgv && { execArgv }) };
  if (own.execArgv.length === 0) return both;
  // If a thread has flags of its own, Node passes on none of the process's.
  return { ...both, execArgv: [...(execArgv ?? argumentsTaken(process.execArgv, node)), ...own.execArgv] };
}

function environmentWith(env: NodeJS.ProcessEnv, own: OwnFlags['env']): NodeJS.ProcessEnv {
  // `process.env` is not copied without need: Node reads it each time a thread starts.
  if (Object.keys(own).length === 0) return env;
  // Sockets that systemd has passed belong to the server.
  const { LISTEN_FDS: _descriptors, LISTEN_PID: _process, LISTEN_FDNAMES: _names, ...rest } = env;
  return { ...rest, ...own };
}

/** The flags of a pool with which no thread can be started. */
export function refusedFlags({ env, execArgv }: OwnFlags): {
  readonly execArgv: readonly string[];
  /** The first such flag in `NODE_OPTIONS` of `env`; null: there is none. */
  readonly option: string | null;
} {
  return {
    execArgv: execArgv.length === 0 ? [] : (node.refusedArguments(execArgv) ?? execArgv),
    option: env.NODE_OPTIONS === undefined ? null : node.refusedOption(env.NODE_OPTIONS),
  };
}

/** For all threads of a server. */
export function threadFlags(): ThreadFlags {
  // A thread uses the compile cache of the main thread only if its environment names it. Without the cache, loading takes twice as long.
  const cache = getCompileCacheDir();
  const environment = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  return flagsForThreads({ execArgv: process.execArgv, environment }, node);
}

/**
 * Node starts no thread if the flags that it is given explicitly contain one of the process's or of V8's. Those are left out: they apply
 * to the whole process anyway.
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
    // Node names a flag that is not in the text. Threads without flags are better than none.
    if (kept === rest) return '';
    rest = kept;
  }
  return rest;
}

function argumentsTaken(execArgv: readonly string[], judge: ThreadJudge): string[] {
  let rest = [...execArgv];
  // Node stops at the value of a flag that it does not know, so flags behind it are reported once that flag has been removed.
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
 * Only Node knows which flags a thread accepts, and it reports that only by refusing to start a thread. A flag that no version has is
 * appended, so that no thread starts when all others are valid.
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

/** @param list flags of `execArgv` in their order, separated by commas; a flag may contain commas itself */
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
