/** Says what its thread was started with. */
import type { Exchange } from '../../../workers/gateway.ts';

export default function flags(exchange: Exchange): void {
  const { GREETING: greeting, PATH: path } = process.env;
  exchange.respond(200, {}, JSON.stringify({ greeting, path, execArgv: process.execArgv }));
}
