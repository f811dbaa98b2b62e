/** `sluice check --load`: loads applications and actors in threads that are then discarded. */
import type { Config } from '../config/config.ts';
import { isPlaced } from '../logging/load-failure.ts';
import { createLog } from '../logging/log.ts';
import { ApplicationLoadError } from '../pools/application-load-error.ts';
import type { Pool } from '../pools/pool.ts';
import { Server } from '../server/server.ts';

/**
 * All pools load in one server, because a module or its `start` may call the actors of another pool; each is awaited by itself, so
 * that a failure hides no other. Those that have started run their `stop`.
 * @returns a message for each pool that fails
 */
export async function loadFailures(config: Config): Promise<string[]> {
  const log = createLog({ ...config.log, level: 'silent' });
  const server = new Server(withOneThreadEach(config), log);
  try {
    const loaded = await Promise.all(server.parts.pools.map(failureOf));
    await server.drain();
    return loaded.filter((failure) => failure !== null);
  } finally {
    void server.destroy();
  }
}

/** Null: it has loaded, and its `start` has returned. */
async function failureOf(pool: Pool): Promise<string | null> {
  try {
    await pool.start();
    return null;
  } catch (error) {
    // It would try again, and keep the drain waiting.
    void pool.destroy();
    if (error instanceof ApplicationLoadError) return textOf(error);
    throw error;
  }
}

/** Without listeners and all else that a port or a socket is opened for. */
function withOneThreadEach(config: Config): Config {
  const pools = Object.entries(config.pools).map(([name, pool]) => [
    name,
    { ...pool, threads: { min: 1, max: 1 } },
  ]);
  return {
    ...config,
    listeners: [],
    pools: Object.fromEntries(pools),
    control: { ...config.control, enabled: false },
    monitoring: null,
    admin: null,
    drainDelayMs: 0,
  };
}

function textOf({ code, message, report }: ApplicationLoadError): string {
  const stack = !isPlaced(report) || report.stack === '' ? '' : `\n${indented(report.stack)}`;
  return `${message} [${code}]${stack}`;
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
