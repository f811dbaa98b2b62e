/** The server of the soak test, in a process of its own, which tells what it holds when it is asked. Run with --expose-gc. */
import { readdirSync } from 'node:fs';
import { parseConfig } from '../../runtime/config/load.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Server } from '../../runtime/server/server.ts';

/** What the process holds while nothing is open. */
export interface Holding {
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly handles: number;
  readonly descriptors: number;
  /** Exchanges that have begun and whose end has not been counted. */
  readonly openExchanges: number;
}

/** The first message is the configuration's text; then `measure` and `end`. */
type Request = { readonly config: string } | 'measure' | 'end';

let server: Server | null = null;

process.on('message', (request: Request) => void answer(request));

async function answer(request: Request): Promise<void> {
  if (request === 'measure') process.send?.(await measure());
  else if (request === 'end') {
    await server?.drain();
    process.disconnect();
  } else {
    const config = parseConfig(request.config, 'soak.config.json');
    server = new Server(config, createLog(config.log));
    await server.start();
    process.send?.('ready');
  }
}

async function measure(): Promise<Holding> {
  // What one collection lets go of, such as the proxies of ended threads, others wait for.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    rss,
    heapUsed,
    arrayBuffers,
    handles: process.getActiveResourcesInfo().length,
    descriptors: readdirSync('/proc/self/fd').length,
    openExchanges: (server?.status().pools ?? []).reduce((sum, { exchanges }) => sum + exchanges.open, 0),
  };
}
