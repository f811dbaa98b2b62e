/** Loads, and leaves libuv's threads waiting for a pipe. */
import { readFile } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';

for (let i = 0; i < 8; i++) readFile(process.env.TEST_PIPE as string, () => undefined);

export default function loaded(exchange: Exchange): void {
  exchange.respond(200, {}, 'loaded');
}
