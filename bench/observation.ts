/** What a server is told to say of itself while it is measured, and who asks it for that. */
import { Agent, request } from 'node:http';
import { freePort } from './contenders.ts';

/** `metrics`: they are kept, and asked for each second. `scrapes`: they are asked for a hundred times as often. */
export const OBSERVATIONS = ['metrics', 'scrapes', 'ids', 'timing'] as const;
export type Observation = (typeof OBSERVATIONS)[number];

const SCRAPE_EVERY_MS = 1_000;
const SCRAPE_MADLY_EVERY_MS = 10;

export interface Observed {
  /** Of the configuration file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** How often metrics are asked for in a second; 0: they are not. */
  readonly scrapesPerSecond: number;
  /** Scrapes as long as it is measured, if there is anything to scrape. @returns what ends it, with how often it was answered */
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
      // As Prometheus does it.
      const agent = new Agent({ keepAlive: true });
      const scraper = setInterval(() => {
        const asked = request({ port, path: '/metrics', agent }, (response) => {
          if (response.statusCode === 200) answers++;
          response.resume();
        });
        // The server may have been told to stop.
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

/** @throws for a name that is none */
export function observationsOf(names: string): ReadonlySet<Observation> {
  const wanted = names.split(',').filter((name) => name !== '');
  const unknown = wanted.find((name) => !OBSERVATIONS.includes(name as Observation));
  if (unknown !== undefined) throw new Error(`expected ${OBSERVATIONS.join(', ')}, got ${unknown}`);
  return new Set(wanted as Observation[]);
}
