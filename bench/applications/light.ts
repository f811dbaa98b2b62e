/** A light route in a pool of its own: `/light`. */
import type { Exchange } from '../../workers/gateway.ts';
import { LIGHT } from '../content.ts';

const body = Buffer.from(LIGHT);
const fields = Object.freeze({ 'content-type': 'text/plain', 'content-length': String(body.length) });

export default async function light(exchange: Exchange): Promise<void> {
  exchange.respond(200, fields, body);
}
