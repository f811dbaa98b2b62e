/** `/hello` as a handler object. */
import type { Exchange } from '../../../workers/gateway.ts';
import { HELLO } from '../../content.ts';

const body = Buffer.from(HELLO);
const fields = Object.freeze({ 'content-type': 'text/plain', 'content-length': String(body.length) });

export default {
  onHeaders(exchange: Exchange): void {
    exchange.respond(200, fields, body);
  },
};
