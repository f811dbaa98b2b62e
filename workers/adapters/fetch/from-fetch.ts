/** A Fetch handler as an application. Published as part of `sluice/fetch`. */

import { valueInvalid } from '../../exchange/values.ts';
import { FlatFields } from '../../fields/flat.ts';
import type { Application, Exchange } from '../../gateway.ts';
import { Associated } from '../associated.ts';
import { type DowngradeOptions, downgradeOf } from '../downgrade.ts';
import { FIELDS_OF_CONNECTION } from '../fields-of-connection.ts';
import { putMarksBack } from '../kept-marks.ts';
import { RepeatedFields } from '../repeated-fields.ts';
import { FetchContext } from './context.ts';
import { folded, rememberRequest } from './folds.ts';
import { fromForeignResponse, isForeignResponse } from './foreign-response.ts';
import { areRequestsLazy, platformResponse } from './globals.ts';
import { heldStream } from './held-exchange.ts';
import { headersOf, LazyRequest, requestOf, signalOf } from './lazy-request.ts';
import { type HeldBody, isLightResponse, type LightResponse } from './light-response.ts';
import { urlOf } from './request-url.ts';
import { StreamBacklog } from './stream-backlog.ts';

export type FetchHandler = (
  request: Request,
  env: FetchContext,
  context: FetchContext,
) => Response | Promise<Response>;

export interface FromFetchOptions {
  readonly downgrade?: DowngradeOptions;
  /** The most bytes that a response's stream may hold for the peer; beyond it the exchange is reset. Default 16 MiB. */
  readonly maxWaitingBytes?: number;
}

const DEFAULT_WAITING_BYTES = 16 * 1024 * 1024;
const INTERNAL_ERROR = 0x2;

/** Methods that a Request cannot have (Fetch Standard, "forbidden method"). */
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

export function fromFetch(
  handler: FetchHandler | { readonly fetch: FetchHandler },
  options: FromFetchOptions = {},
): Application {
  const native = folded(typeof handler === 'function' ? handler : handler.fetch);
  if (native !== null) return native;
  const { maxWaitingBytes = DEFAULT_WAITING_BYTES } = options;
  const call: FetchHandler =
    typeof handler === 'function' ? handler : (request, env, context) => handler.fetch(request, env, context);
  const application = (exchange: Exchange): void | Promise<void> => {
    const url = admit(exchange);
    if (url === null) return;
    const context = new FetchContext(exchange);
    const result = call(makeRequest(exchange, url), context, context);
    if (isWhole(result) && !context.isWaiting) {
      const pushes = respondLight(exchange, result, sending);
      return pushes === null ? undefined : settled(pushes);
    }
    return answer(exchange, result, context, sending);
  };
  const associated = Associated.of(application, downgradeOf(options.downgrade));
  const sending: Sending = { associated, maxWaitingBytes, fields: new RepeatedFields() };
  return application;
}

/** The request's URL; null if no Request can express the exchange, which has then been answered. */
function admit(exchange: Exchange): string | null {
  const { method, protocol } = exchange.request;
  if (protocol !== '' || method === 'CONNECT') {
    exchange.respond(501, TEXT, 'A Fetch handler takes neither WebSockets nor tunnels.\n');
    return null;
  }
  if (FORBIDDEN.has(method)) {
    exchange.respond(405, TEXT, `A Fetch handler is not asked with ${method}.\n`);
    return null;
  }
  const url = urlOf(exchange.request);
  if (url === null) exchange.respond(400, TEXT, 'The authority asked for cannot stand in a URL.\n');
  return url;
}

function makeRequest(exchange: Exchange, url: string): Request {
  if (areRequestsLazy()) return new LazyRequest(exchange, url) as never;
  const request = requestOf(exchange, url, headersOf(exchange), signalOf(exchange));
  rememberRequest(request, exchange);
  return request;
}

/** How responses are sent. */
interface Sending {
  readonly associated: Associated | null;
  readonly maxWaitingBytes: number;
  readonly fields: RepeatedFields;
}

async function answer(
  exchange: Exchange,
  result: Response | Promise<Response>,
  context: FetchContext,
  sending: Sending,
): Promise<void> {
  const response = await result;
  // Most responses are whole, and need no further promise.
  const pushes = isWhole(response)
    ? respondLight(exchange, response, sending)
    : await respond(exchange, response, sending);
  if (pushes !== null) await settled(pushes);
  if (context.isWaiting) await context.waited();
}

async function settled(pushes: readonly Promise<void>[]): Promise<void> {
  for (const push of pushes) await push;
}

/** A light response with its whole body. */
function isWhole(response: unknown): response is LightResponse {
  return isLightResponse(response) && response.isLight && response.heldBody === null;
}

type Pushes = Promise<void>[] | null;

function respondLight(exchange: Exchange, response: LightResponse, { associated, fields }: Sending): Pushes {
  const { flat, simpleBody } = response;
  const pushes = takeAssociated(exchange, flat, associated);
  if (simpleBody === null && exchange.request.method === 'HEAD') {
    // Without a body, because a content-length among the fields is that of the GET response.
    exchange.respond(response.status, fields.of(flat));
    exchange.end();
  } else {
    exchange.respond(response.status, fields.of(flat), simpleBody ?? '');
  }
  return pushes;
}

async function respond(exchange: Exchange, response: Response, sending: Sending): Promise<Pushes> {
  const { associated } = sending;
  if (!(response instanceof Response)) {
    if (isForeignResponse(response)) return respond(exchange, fromForeignResponse(response), sending);
    throw valueInvalid('the Fetch handler to give a Response', response);
  }
  if (isLightResponse(response) && (response as LightResponse).isLight) {
    const { flat, status, heldBody } = response as LightResponse;
    const pushes = takeAssociated(exchange, flat, associated);
    await (heldBody as HeldBody).commit(status, flat);
    return pushes;
  }
  const platform = platformResponse(response);
  if (platform.status === 0)
    throw new Error('expected a response of the application, it gave Response.error()');
  const flat = flatOf(platform.headers);
  putMarksBack(exchange, flat);
  const pushes = takeAssociated(exchange, flat, associated);
  const { body } = platform;
  const held = body === null || body.locked || platform.bodyUsed ? null : heldStream(body);
  if (held !== null) await held.commit(platform.status, flat);
  else await send(exchange, platform, flat, sending.maxWaitingBytes);
  return pushes;
}

async function send(
  exchange: Exchange,
  { status, body }: Response,
  flat: string[],
  maxWaitingBytes: number,
): Promise<void> {
  if (body === null) {
    if (exchange.request.method === 'HEAD') {
      exchange.respond(status, new FlatFields(flat));
      exchange.end();
    } else {
      exchange.respond(status, new FlatFields(flat), '');
    }
    return;
  }
  const reader = body.getReader();
  // A piece is lost, so the reset keeps the peer from taking the rest for a complete response. It also ends the write that waits.
  const backlog = new StreamBacklog(body, maxWaitingBytes, () => exchange.reset(INTERNAL_ERROR));
  try {
    exchange.respond(status, new FlatFields(flat));
    if (exchange.request.method !== 'HEAD') {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        if (!(piece.value instanceof Uint8Array)) {
          throw valueInvalid("the response's stream to give Uint8Arrays", piece.value);
        }
        backlog.taken(piece.value.byteLength);
        await exchange.write(piece.value);
      }
    }
    exchange.end();
  } catch (error) {
    const why = backlog.error ?? error;
    // The source is told and may stop. If its `cancel` fails, the exchange has failed anyway.
    reader.cancel(why).catch(() => undefined);
    throw why;
  }
  if (exchange.request.method === 'HEAD') reader.cancel().catch(() => undefined);
}

function flatOf(headers: Headers): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) if (!FIELDS_OF_CONNECTION.has(name)) flat.push(name, value);
  return flat;
}

function takeAssociated(exchange: Exchange, flat: string[], associated: Associated | null): Pushes {
  for (let i = flat.length - 2; i >= 0; i -= 2) if (FIELDS_OF_CONNECTION.has(flat[i])) flat.splice(i, 2);
  return associated === null ? null : associated.take(exchange, flat);
}
