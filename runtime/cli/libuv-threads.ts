/**
 * How many threads libuv has for what Node's asynchronous functions hand over: files, names, hashing, compression. The whole
 * process shares them, so the four that are meant for one event loop are few for one of them in each application thread.
 *
 * libuv reads the variable once, when something is handed over for the first time. Node hands nothing over while it
 * starts and loads modules, so whoever sets it before the pools are started is heard.
 */
import type { Config } from '../config/config.ts';
import type { Environment } from './settings.ts';

export const libuvThreadsVariable = 'UV_THREADPOOL_SIZE';

/** libuv's own number, for one event loop. */
const LEAST = 4;
/** What computes there competes with the reactor for cores, and each waiting call holds a stack. */
const MOST_BY_DEFAULT = 64;
/** libuv starts no more, whatever it is told. */
const MOST = 1_024;

export interface LibuvThreads {
  readonly count: number;
  readonly isSet: boolean;
}

/** What the environment says or, where it says nothing, four and one for each application thread. */
export function libuvThreads({ pools }: Pick<Config, 'pools'>, environment: Environment): LibuvThreads {
  const given = environment[libuvThreadsVariable];
  if (given) return { count: asLibuvReads(given), isSet: true };
  let count = LEAST;
  // Those of routes with files read by themselves.
  for (const { threads, applicationOptions } of Object.values(pools)) {
    if (applicationOptions === undefined) count += threads.max;
  }
  return { count: Math.min(count, MOST_BY_DEFAULT), isSet: false };
}

/** As `uv__threadpool` does: what is no number is one, and what is negative the most there may be. */
function asLibuvReads(text: string): number {
  const number = Number.parseInt(text, 10) || 1;
  return number < 0 ? MOST : Math.min(number, MOST);
}
