/** Requests described, responses of every shape: what tests of whole messages ask for by path. */
import { createHash } from 'node:crypto';
import type { Exchange } from '../../../workers/gateway.ts';

const PIECE_BYTES = 65_536;
/** A pattern whose period divides no frame or ring size, so that a piece lost or swapped changes the digest. */
const PATTERN = Buffer.from(
  Array.from({ length: PIECE_BYTES }, (_, index) => (index * 31 + (index >> 8) * 7) % 251),
);

type Answer = (exchange: Exchange, query: URLSearchParams) => void | Promise<void>;

const answers: { readonly [path: string]: Answer } = {
  '/too-large': (exchange) => exchange.respond(413, { 'content-type': 'text/plain' }, 'too large\n'),
  '/limited': async (exchange, query) => {
    if (query.has('late')) exchange.respond(200);
    exchange.respond(200, {}, await exchange.body.bytes(10));
  },
  '/hello': (exchange) => exchange.respond(200, { 'content-type': 'text/plain' }, 'hello\n'),
  '/describe': describe,
  '/echo': echo,
  '/digest': digest,
  '/bytes': bytes,
  '/status': (exchange, query) =>
    exchange.respond(Number(query.get('code')), {}, query.get('body') ?? undefined),
  '/empty': (exchange, query) => {
    exchange.respond(Number(query.get('code') ?? 200));
    exchange.end();
  },
  '/repeated': (exchange) => {
    exchange.respond(200, { 'set-cookie': ['a=1', 'b=2', 'c=3'], 'x-one': 'one' }, 'repeated');
  },
  '/interim': (exchange) => {
    exchange.inform(103, { link: '</style.css>; rel=preload' });
    exchange.inform(102);
    exchange.respond(200, {}, 'after the interim responses');
  },
  '/trailers': async (exchange) => {
    exchange.respond(200);
    await exchange.write('content');
    exchange.end({ 'x-checksum': 'abc', 'x-many': ['1', '2'] });
  },
};

export default async function messages(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  const answer = answers[url.pathname];
  if (answer === undefined) exchange.respond(404, {}, 'no such answer');
  else await answer(exchange, url.searchParams);
}

async function describe(exchange: Exchange): Promise<void> {
  const { method, scheme, authority, path, version, remote, fields } = exchange.request;
  const body = await exchange.body.text();
  const trailers = [...(await exchange.trailers)];
  const request = { method, scheme, authority, path, version, remote, fields: [...fields], body, trailers };
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(request));
}

async function echo(exchange: Exchange): Promise<void> {
  exchange.respond(200);
  for await (const piece of exchange.body) await exchange.write(piece);
  exchange.end(await exchange.trailers);
}

async function digest(exchange: Exchange): Promise<void> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of exchange.body) {
    hash.update(piece);
    length += piece.length;
  }
  exchange.respond(200, { 'x-length': length }, hash.digest('hex'));
}

/** `?count=N`: so many bytes, their digest in the trailers; with `announced` their length in the head. */
async function bytes(exchange: Exchange, query: URLSearchParams): Promise<void> {
  const count = Number(query.get('count'));
  const hash = createHash('sha256');
  exchange.respond(200, query.has('announced') ? { 'content-length': count } : {});
  for (let sent = 0; sent < count; sent += PIECE_BYTES) {
    const piece = PATTERN.subarray(0, Math.min(PIECE_BYTES, count - sent));
    hash.update(piece);
    await exchange.write(piece);
  }
  exchange.end({ 'x-digest': hash.digest('hex') });
}
