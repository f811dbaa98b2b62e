/**
 * Responses of other implementations of Fetch (undici's package, whatwg-node under GraphQL Yoga, node-fetch): no instances of the
 * platform's class, and the same by their members.
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

/** Statuses that the platform makes no Response with a body of. */
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

/** The platform's, with the same bytes as they come. */
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
