/**
 * Sets the number of libuv's threads, which do the work of Node's asynchronous functions: files, names, hashing, compression. The whole
 * process shares them. libuv's default of four is meant for one event loop and too small for one in each application thread.
 *
 * libuv reads the variable when it gets its first task. Node gives it none while it starts and loads modules, so setting the variable before
 * the pools start has an effect.
 */
import type { Config } from '../config/config.ts';
import type { Environment } from './settings.ts';

export const libuvThreadsVariable = 'UV_THREADPOOL_SIZE';

/** libuv's default, meant for one event loop. */
const LEAST = 4;
/** Computing threads of libuv compete with the reactor for cores, and each waiting call holds a stack. */
const MOST_BY_DEFAULT = 64;
/** libuv never starts more. */
const MOST = 1_024;

export interface LibuvThreads {
  readonly count: number;
  readonly isSet: boolean;
}

/** The value of the environment, or by default four plus one for each application thread. */
export function libuvThreads({ pools }: Pick<Config, 'pools'>, environment: Environment): LibuvThreads {
  const given = environment[libuvThreadsVariable];
  if (given) return { count: asLibuvReads(given), isSet: true };
  let count = LEAST;
  // Threads that serve files read them synchronously.
  for (const { threads, applicationOptions } of Object.values(pools)) {
    if (applicationOptions === undefined) count += threads.max;
  }
  return { count: Math.min(count, MOST_BY_DEFAULT), isSet: false };
}

/** As libuv reads it: text that is no number counts as 1, a negative number as the maximum. */
function asLibuvReads(text: string): number {
  const number = Number.parseInt(text, 10) || 1;
  return number < 0 ? MOST : Math.min(number, MOST);
}
