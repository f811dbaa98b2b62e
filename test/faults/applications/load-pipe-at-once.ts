/** Its thread waits for a pipe while it loads. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';

writeFileSync(process.env.TEST_BEGUN as string, 'begun');
const text = readFileSync(process.env.TEST_PIPE as string);

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, text);
}
