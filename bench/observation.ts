/** What a server is told to say of itself while it is measured, and who asks it for that. */
import { request } from 'node:http';
import { freePort } from './contenders.ts';

export const OBSERVATIONS = ['metrics', 'ids', 'timing'] as const;
export type Observation = (typeof OBSERVATIONS)[number];

/** Far more often than anybody would. */
const SCRAPE_EVERY_MS = 10;

export interface Observed {
  /** Of the configuration file. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Scrapes as long as it is measured, if there is anything to scrape. @returns what ends it, with how often it was answered */
  watch(): () => number;
}

export async function observed(wanted: ReadonlySet<Observation>): Promise<Observed> {
  const port = wanted.has('metrics') ? await freePort() : 0;
  return {
    options: {
      ...(port > 0 && { monitoring: { address: `127.0.0.1:${port}` } }),
      ...(wanted.has('ids') && { requestId: {} }),
      ...(wanted.has('timing') && { tracing: { spans: false, serverTiming: true } }),
    },
    watch: () => {
      if (port === 0) return () => 0;
      let answers = 0;
      const scraper = setInterval(() => {
        const asked = request({ port, path: '/metrics', agent: false }, (response) => {
          if (response.statusCode === 200) answers++;
          response.resume();
        });
        // The server may have been told to stop.
        asked.on('error', () => undefined);
        asked.end();
      }, SCRAPE_EVERY_MS);
      return () => {
        clearInterval(scraper);
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
