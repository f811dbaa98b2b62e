/**
 * Finds what a legacy layer has changed by the time it passes `req` and `res` on. Legacy middleware works in place: it sets fields,
 * rewrites `req.url`, reads the body, and replaces methods of the response.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { ReceivedFields } from '../../fields/received.ts';
import type { Exchange, ExchangePart, Withheld } from '../../gateway.ts';
import { ChangedRequest, type RequestChanges } from '../../middleware/changed-request.ts';
import type { NodePair } from './pair.ts';
import type { Incoming } from './request.ts';
import { hasOwnEnd, type Outgoing } from './response.ts';

export interface Patches {
  /** Null if the request is unchanged. */
  readonly request: ChangedRequest | null;
  /** A layer has read the body or is reading it. */
  readonly readsBody: boolean;
  readonly setsFields: boolean;
  /** A layer listens for the end of the response. */
  readonly isWatched: boolean;
  /** Names of the methods that a layer has replaced. */
  readonly head: readonly string[];
  readonly body: readonly string[];
}

/** The methods that make the head. Calling `setHeader` is no patch, but replacing it is one. */
const HEAD_METHODS = [
  'writeHead',
  'setHeader',
  'flushHeaders',
  '_implicitHeader',
  'appendHeader',
  'setHeaders',
] as const;

export function patchesOf({ exchange, req, res }: NodePair): Patches {
  const body: string[] = [];
  if (res.write !== ServerResponse.prototype.write) body.push('write');
  if (!hasOwnEnd(res)) body.push('end');
  return {
    request: changedRequest(exchange, req),
    readsBody: req._consuming || req.destroyed,
    setsFields: res.getHeaderNames().length > 0,
    isWatched: res.listenerCount('finish') + res.listenerCount('close') + res.listenerCount('prefinish') > 0,
    head: HEAD_METHODS.filter((name) => isPatched(res, name)),
    body,
  };
}

function isPatched(res: Outgoing, name: (typeof HEAD_METHODS)[number]): boolean {
  const own: { readonly [name: string]: unknown } = ServerResponse.prototype as never;
  return (res as never)[name] !== own[name];
}

export function isUntouched({ request, readsBody, setsFields, isWatched, head, body }: Patches): boolean {
  return request === null && !readsBody && !setsFields && !isWatched && head.length + body.length === 0;
}

export function partsChangedBy({
  request,
  readsBody,
  setsFields,
  head,
  body,
}: Patches): ReadonlySet<ExchangePart> {
  const parts = new Set<ExchangePart>();
  if (request !== null) parts.add('request');
  if (readsBody) parts.add('request-body');
  if (setsFields || head.length > 0 || body.length > 0) parts.add('response-head');
  if (body.length > 0) parts.add('response-body');
  return parts;
}

/** docs/sgi.md, rule 12.6. */
export function withheldBy({ head, body }: Patches): readonly Withheld[] {
  const why = (methods: readonly string[], what: string) =>
    `a legacy layer has put its own res.${methods.join(', res.')} over the response's, ${what}`;
  const withheld: Withheld[] = [];
  if (head.length + body.length > 0) {
    withheld.push({ feature: 'push', why: why([...head, ...body], 'and what is pushed would go past it') });
    withheld.push({ feature: 'tunnel', why: why([...head, ...body], 'and a tunnel would go past it') });
  }
  if (body.length > 0) {
    withheld.push({ feature: 'streaming', why: why(body, 'which may collect the body') });
    withheld.push({ feature: 'padding', why: why(body, 'which sends the body in pieces of its own') });
  }
  return withheld;
}

function changedRequest(exchange: Exchange, req: Incoming): ChangedRequest | null {
  const { request } = exchange;
  const changes: { -readonly [name in keyof RequestChanges]: RequestChanges[name] } = {};
  if (req.url !== request.path) changes.path = req.url ?? '/';
  if (req.method !== request.method) changes.method = req.method ?? 'GET';
  const headers = req.headers;
  if (!isSame(headers, freshHeaders(req))) {
    const flat: string[] = [];
    for (const [name, value] of Object.entries(headers)) {
      const lower = name.toLowerCase();
      if (lower === 'host') changes.authority = String(value);
      else if (!OURS.has(lower) && lower[0] !== ':')
        for (const one of [value].flat()) flat.push(lower, String(one));
    }
    changes.fields = new ReceivedFields(flat);
  }
  return Object.keys(changes).length === 0 ? null : new ChangedRequest(request, changes);
}

/** Fields that the adapter adds for legacy code. */
const OURS = new Set(['connection', 'transfer-encoding', 'upgrade']);

function freshHeaders(req: Incoming): { readonly [name: string]: unknown } {
  const fresh = {};
  const add = (IncomingMessage.prototype as unknown as Pick<Incoming, '_addHeaderLine'>)._addHeaderLine;
  const { rawHeaders } = req;
  for (let i = 0; i < rawHeaders.length; i += 2) add.call(req, rawHeaders[i], rawHeaders[i + 1], fresh);
  return fresh;
}

function isSame(
  one: { readonly [name: string]: unknown },
  other: { readonly [name: string]: unknown },
): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => one[name] === other[name] || String(one[name]) === String(other[name]))
  );
}
