/** Writes down each POST that it begins, then does as its path says: waits for ever, ends its thread, or answers when a file is there. */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from '../../../workers/gateway.ts';

const folder = process.env.TEST_FOLDER ?? '';

export default async (exchange: Exchange): Promise<void> => {
  const { method, path } = exchange.request;
  if (method !== 'POST') return exchange.respond(200, {}, 'served');
  appendFileSync(`${folder}/begun`, `${path}\n`);
  if (path === '/dies') process.exit(1);
  while (path !== '/answered' || !existsSync(`${folder}/go`)) await delay(1);
  exchange.respond(200, {}, 'answered');
};
