/** Which observability features of a server are on while it is measured, and the client that queries them. */
import { Agent, request } from 'node:http';
import { freePort } from './contenders.ts';

/**
 * `metrics`: metrics are kept, and requested every second. `scrapes`: they are requested a hundred times as
 * often.
 */
export const OBSERVATIONS = ['metrics', 'scrapes', 'ids', 'timing'] as const;
export type Observation = (typeof OBSERVATIONS)[number];

const SCRAPE_EVERY_MS = 1_000;
const SCRAPE_MADLY_EVERY_MS = 10;

export interface Observed {
  /** For the configuration file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How often metrics are requested per second; 0: never. */
  readonly scrapesPerSecond: number;
  /**
   * Scrapes metrics during the measurement, if there are any.
   * @returns a function that ends it and returns the number of responses
   */
  watch(): () => number;
}

export async function observed(wanted: ReadonlySet<Observation>): Promise<Observed> {
  const port = wanted.has('metrics') || wanted.has('scrapes') ? await freePort() : 0;
  const everyMs = wanted.has('scrapes') ? SCRAPE_MADLY_EVERY_MS : SCRAPE_EVERY_MS;
  return {
    scrapesPerSecond: port === 0 ? 0 : 1_000 / everyMs,
    options: {
      ...(port > 0 && { monitoring: { address: `127.0.0.1:${port}` } }),
      ...(wanted.has('ids') && { requestId: {} }),
      ...(wanted.has('timing') && { tracing: { spans: false, serverTiming: true } }),
    },
    watch: () => {
      if (port === 0) return () => 0;
      let answers = 0;
      // As Prometheus does.
      const agent = new Agent({ keepAlive: true });
      const scraper = setInterval(() => {
        const asked = request({ port, path: '/metrics', agent }, (response) => {
          if (response.statusCode === 200) answers++;
          response.resume();
        });
        // The server may already have been told to stop.
        asked.on('error', () => undefined);
        asked.end();
      }, everyMs);
      return () => {
        clearInterval(scraper);
        agent.destroy();
        return answers;
      };
    },
  };
}

/** @throws for an unknown name */
export function observationsOf(names: string): ReadonlySet<Observation> {
  const wanted = names.split(',').filter((name) => name !== '');
  const unknown = wanted.find((name) => !OBSERVATIONS.includes(name as Observation));
  if (unknown !== undefined) throw new Error(`expected ${OBSERVATIONS.join(', ')}, got ${unknown}`);
  return new Set(wanted as Observation[]);
}
