/**
 * How a sample application finds its handler: a table of paths, each with a table of methods.
 *
 * It gives the responses that HTTP requires for every resource (404, 405 with Allow, HEAD wherever there is
 * GET). It turns a `Refusal` thrown anywhere below into its response, so that an application only contains
 * its own subject.
 */
import { threadId } from 'node:worker_threads';
import { timing } from '../../workers/extensions.ts';
import {
  type Exchange,
  type FieldsInit,
  type GatewayError,
  GatewayErrorCode,
  type PushedResponse,
  type PushRequest,
} from '../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../workers/middleware/compose.ts';

export type Handler = (exchange: Exchange, query: URLSearchParams) => void | Promise<void>;

/** Method → handler. The handler of `GET` also serves `HEAD`: the server leaves the content out. */
export type Methods = { readonly [method: string]: Handler };

/**
 * Path → resource. It is a Map, or another look-up, because the peer chooses the path, and `__proto__` is
 * one.
 */
export interface Resources {
  get(path: string): Methods | undefined;
}

/** A request that is answered with an error; the status says whose fault it is. */
export class Refusal extends Error {
  readonly status: number;
  readonly fields: { readonly [name: string]: string };

  constructor(status: number, message: string, fields: { readonly [name: string]: string } = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.fields = fields;
  }
}

/**
 * Adds to each response which thread made it, how long the request waited for that thread, and how long it
 * has run until then.
 */
class TimedExchange extends WrappedExchange {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const times = this.extension(timing);
    if (times === null) {
      super.respond(status, fields, body);
      return;
    }
    const runMs = performance.timeOrigin + performance.now() - times.startedAtMs;
    const value = `wait;dur=${times.queuedMs.toFixed(2)}, run;dur=${runMs.toFixed(2)}, thread;desc="${threadId}"`;
    super.respond(status, new FieldList(fields).append('server-timing', value), body);
  }

  // Promised responses do not contain it. Without this override, push would be withheld.
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}

export async function answer(inner: Exchange, resources: Resources): Promise<void> {
  const exchange = new TimedExchange(inner);
  try {
    const { path } = exchange.request;
    const queryAt = path.indexOf('?');
    const handler = find(resources, queryAt === -1 ? path : path.slice(0, queryAt), exchange.request.method);
    await handler(exchange, new URLSearchParams(queryAt === -1 ? '' : path.slice(queryAt + 1)));
  } catch (error) {
    answerError(exchange, error);
  }
}

function find(resources: Resources, path: string, method: string): Handler {
  const methods = resources.get(path);
  if (methods === undefined) throw new Refusal(404, `There is nothing at ${path}.`);
  const wanted = method === 'HEAD' ? 'GET' : method;
  if (Object.hasOwn(methods, wanted)) return methods[wanted];
  const allow = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  throw new Refusal(405, `${path} answers ${allow.join(', ')}, not ${method}.`, { allow: allow.join(', ') });
}

function answerError(exchange: Exchange, error: unknown): void {
  if (error instanceof Refusal) {
    respondText(exchange, error.status, `${error.message}\n`, error.fields);
    return;
  }
  const code = error instanceof Error ? (error as GatewayError).code : undefined;
  if (code === GatewayErrorCode.FieldRepeated) {
    respondText(exchange, 400, `${(error as GatewayError).message}\n`);
    return;
  }
  // The peer has gone, so no response is needed, and the application has not failed.
  if (code === GatewayErrorCode.ExchangeClosed) return;
  throw error;
}

export function respondText(exchange: Exchange, status: number, text: string, fields: FieldsInit = {}): void {
  exchange.respond(
    status,
    { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...fields },
    text,
  );
}
