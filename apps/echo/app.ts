/**
 * Bidirectional streaming: every piece of the request is sent back as it arrives. The next piece is only
 * requested when the one before it has been taken, so a peer that does not read is not read from either.
 *
 * The response's trailers carry what is only known at the end: the number of bytes, their digest
 * (Content-Digest, RFC 9530 section 2), and the request's trailers.
 */
import { createHash } from 'node:crypto';
import type { Exchange, Fields } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';

/**
 * Never the request's own type: otherwise a form on another site's page could post a script here and get it
 * back as HTML of this origin.
 */
const ECHO_FIELDS = Object.freeze({
  'content-type': 'application/octet-stream',
  'x-content-type-options': 'nosniff',
  trailer: 'content-digest, echo-bytes',
});

/**
 * Trailer fields that are not sent back: the two that this application adds, and those that frame, route or
 * authorize a message, which a trailer section must not contain (RFC 9110 section 6.5.1).
 */
const NOT_ECHOED: ReadonlySet<string> = new Set([
  'authorization',
  'content-digest',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'echo-bytes',
  'host',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
]);

const RESOURCES: Resources = new Map([['/echo', { GET: showPage, POST: echoBody, PUT: echoBody }]]);

export default function echo(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

async function echoBody(exchange: Exchange): Promise<void> {
  const digest = createHash('sha256');
  let bytes = 0;
  exchange.respond(200, ECHO_FIELDS);
  for await (const chunk of exchange.body) {
    digest.update(chunk);
    bytes += chunk.length;
    await exchange.write(chunk);
  }
  exchange.end(trailersAfter(bytes, digest.digest('base64'), await exchange.trailers));
}

function* trailersAfter(bytes: number, sha256: string, received: Fields): Generator<[string, string]> {
  yield ['echo-bytes', String(bytes)];
  yield ['content-digest', `sha-256=:${sha256}:`];
  for (const field of received) {
    if (!NOT_ECHOED.has(field[0])) yield field;
  }
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
