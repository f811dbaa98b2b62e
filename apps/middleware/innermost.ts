/**
 * The application below a stack of the gallery. It uses whatever its exchange offers, and reports that in the
 * first line of its response.
 *
 * It uses interim responses, a push, a body that is echoed while it arrives, trailers, and a WebSocket. Query
 * parameters: `fail` (before the head, or `late`), `location` for a response from another path, and `whole`
 * for a response in one piece.
 */
import type { Capabilities, Exchange, Withheld } from '../../workers/gateway.ts';
import { acceptWebSocket } from '../../workers/websocket/accept.ts';
import { user } from './native/authentication.ts';
import { session } from './native/sessions.ts';

export const STYLE = 'main { color: teal }\n';
const STYLE_PATH = '/style.css';
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const LARGE_TEXT = 'It was a dark and stormy night. '.repeat(100);
const MAX_MESSAGE_BYTES = 1024;

/** The first line of the response, as JSON. */
export interface Report {
  readonly method: string;
  readonly path: string;
  readonly user: string | null;
  readonly capabilities: Capabilities;
  readonly withheld: readonly Withheld[];
}

export default async function innermost(exchange: Exchange): Promise<void> {
  if (exchange.request.protocol === 'websocket') return converse(exchange);
  const { path } = exchange.request;
  const at = path.indexOf('?');
  const query = new URLSearchParams(at === -1 ? '' : path.slice(at));
  const location = query.get('location');
  if (query.get('fail') === 'early') throw new Error('told to fail before the head');
  if (location !== null) return exchange.respond(200, { 'x-internal-location': location }, '');
  if (query.has('whole')) return exchange.respond(200, TEXT, LARGE_TEXT);
  await exchangeAll(exchange, query.get('fail') === 'late');
}

async function exchangeAll(exchange: Exchange, isFailing: boolean): Promise<void> {
  exchange.inform(103, { link: '</font.woff2>; rel=preload; as=font; crossorigin' });
  countVisit(exchange);
  const pushed = await exchange.push({ path: STYLE_PATH });
  pushed?.respond(200, { 'content-type': 'text/css' }, STYLE);
  exchange.respond(200, { ...TEXT, trailer: 'x-echoed-bytes' });
  await exchange.write(`${JSON.stringify(reportOf(exchange))}\n`);
  if (isFailing) throw new Error('told to fail after the head');
  let bytes = 0;
  for await (const piece of exchange.body) {
    bytes += piece.length;
    await exchange.write(piece);
  }
  exchange.end({ 'x-echoed-bytes': bytes });
}

function countVisit(exchange: Exchange): void {
  const kept = exchange.extension(session);
  kept?.set('visits', String(Number(kept.get('visits') ?? 0) + 1));
}

function reportOf(exchange: Exchange): Report {
  const { request, capabilities, withheld } = exchange;
  const { method, path } = request;
  return { method, path, user: exchange.extension(user), capabilities, withheld };
}

/** Echoes messages, or says why it cannot. */
async function converse(exchange: Exchange): Promise<void> {
  if (!exchange.capabilities.tunnel) {
    return exchange.respond(501, TEXT, `${JSON.stringify(reportOf(exchange))}\n`);
  }
  // Nothing here needs protection from another site's page.
  const socket = await acceptWebSocket(exchange, { maxMessageBytes: MAX_MESSAGE_BYTES, origins: 'any' });
  if (socket === null) return;
  await socket.send(JSON.stringify(reportOf(exchange)));
  for await (const message of socket) await socket.send(message);
}
