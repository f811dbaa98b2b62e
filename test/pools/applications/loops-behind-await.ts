/** As `behind-await`, for ever, when the file says so that its environment names. */
import { readFileSync } from 'node:fs';
import type { Exchange } from '../../../workers/gateway.ts';
import { answer } from './awaiting.ts';

while (readFileSync(process.env.TEST_GATE as string, 'utf8') === 'shut');

export default function ready(exchange: Exchange): void {
  exchange.respond(200, {}, String(answer));
}
