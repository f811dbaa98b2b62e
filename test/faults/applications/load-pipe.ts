/** It waits for a pipe while it loads, and libuv's threads for it. */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Exchange } from '../../../workers/gateway.ts';

const reads = Array.from({ length: 8 }, () => readFile(process.env.TEST_PIPE as string));
writeFileSync(process.env.TEST_BEGUN as string, 'begun');
const [text] = await Promise.all(reads);

export default function never(exchange: Exchange): void {
  exchange.respond(200, {}, text as Buffer);
}
