/** `sluice check --load`: whether the applications and actors load, in threads that are thrown away. */
import type { Config } from '../config/config.ts';
import { createLog } from '../logging/log.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import { Server } from '../server/server.ts';

/** Each pool by itself, so that one that does not load hides no other. @returns what is wrong, a text for each pool */
export async function loadFailures(config: Config): Promise<string[]> {
  const failures = await Promise.all(Object.keys(config.pools).map((name) => loadFailure(config, name)));
  return failures.filter((failure) => failure !== null);
}

/** Null: it has loaded, and its `start` has returned. Its `stop` is called then. */
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

/** The configuration with one thread of one pool, and nobody who could reach it. */
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

/** Of an error of the module's its stack says where; what Sluice itself says of the module is in the message. */
function textOf({ code, message, report }: ApplicationLoadError): string {
  const stack =
    report.code?.startsWith('SLUICE_') || report.stack === '' ? '' : `\n${indented(report.stack)}`;
  return `${message} [${code}]${stack}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
