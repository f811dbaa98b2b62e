/**
 * Responses of other Fetch implementations (the undici package, whatwg-node under GraphQL Yoga, node-fetch). They are no instances of the
 * platform's class, but have the same members.
 */
import { streamOf } from './body-stream.ts';
import { PlatformResponse } from './light-response.ts';

interface ForeignResponse {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: Iterable<[name: string, value: string]>;
  readonly body: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Statuses with which the platform's Response cannot have a body. */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

export function isForeignResponse(value: unknown): value is ForeignResponse {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers, arrayBuffer } = value as Partial<ForeignResponse>;
  return (
    Number.isInteger(status) &&
    typeof arrayBuffer === 'function' &&
    typeof (headers as Partial<ForeignResponse['headers']> | undefined)?.[Symbol.iterator] === 'function'
  );
}

/** A Response of the platform that streams the same bytes. */
export function fromForeignResponse(response: ForeignResponse): Response {
  const { status, body } = response;
  const isEmpty = NULL_BODY.has(status) || body === null || body === undefined;
  return new PlatformResponse(isEmpty ? null : streamOf(piecesOf(response)), {
    status,
    statusText: response.statusText ?? '',
    headers: [...response.headers],
  });
}

async function* piecesOf(response: ForeignResponse): AsyncGenerator<Uint8Array> {
  const body = response.body as Partial<AsyncIterable<Uint8Array>>;
  if (typeof body[Symbol.asyncIterator] === 'function') yield* body as AsyncIterable<Uint8Array>;
  else yield new Uint8Array(await response.arrayBuffer());
}
