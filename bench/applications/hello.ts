/** The smallest response: `/hello`. */
import type { Exchange } from '../../workers/gateway.ts';
import { HELLO } from '../content.ts';

const body = Buffer.from(HELLO);
const fields = Object.freeze({ 'content-type': 'text/plain', 'content-length': String(body.length) });

export default async function hello(exchange: Exchange): Promise<void> {
  exchange.respond(200, fields, body);
}
