/** `sluice check --load`: loads applications and actors in threads that are then discarded. */
import type { Config } from '../config/config.ts';
import { createLog } from '../logging/log.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import { Server } from '../server/server.ts';

/** Loads each pool separately, so that a failure hides no other. @returns a message for each pool that fails */
export async function loadFailures(config: Config): Promise<string[]> {
  const failures = await Promise.all(Object.keys(config.pools).map((name) => loadFailure(config, name)));
  return failures.filter((failure) => failure !== null);
}

/** Null if it has loaded and its `start` has returned. Calls its `stop` then. */
async function loadFailure(config: Config, name: string): Promise<string | null> {
  const log = createLog({ ...config.log, level: 'silent' });
  const server = new Server(only(config, name), log);
  try {
    await server.start();
    await server.drain();
    return null;
  } catch (error) {
    if (error instanceof ApplicationLoadError) return textOf(error);
    throw error;
  } finally {
    void server.destroy();
  }
}

/** The configuration reduced to one thread of one pool, without listeners. */
function only(config: Config, name: string): Config {
  const pool = config.pools[name] as Config['pools'][string];
  return {
    ...config,
    listeners: [],
    pools: { [name]: { ...pool, threads: { min: 1, max: 1 } } },
    actors: Object.fromEntries(Object.entries(config.actors).filter(([, actor]) => actor.pool === name)),
    routes: config.routes.filter((route) => route.pool === name),
    control: { ...config.control, enabled: false },
    monitoring: null,
    admin: null,
    drainDelayMs: 0,
  };
}

/** With the stack for an error of the module itself; Sluice's own errors are complete in their message. */
function textOf({ code, message, report }: ApplicationLoadError): string {
  const stack =
    report.code?.startsWith('SLUICE_') || report.stack === '' ? '' : `\n${indented(report.stack)}`;
  return `${message} [${code}]${stack}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
