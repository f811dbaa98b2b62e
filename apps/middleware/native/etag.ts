/**
 * Entity tags for responses sent in one piece, and 304 for clients that have them (RFC 9110 sections 8.8.3
 * and 13.1.2).
 *
 * The difficulty it demonstrates: it needs the body before the head, so it can only handle responses in one
 * piece. A streamed response stays streamed: collecting it would take away what the application wants.
 */
import { createHash } from 'node:crypto';
import type { FieldsInit, Middleware, PushedResponse, PushRequest } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';

export function etag(): Middleware {
  return (application) => (exchange) => application(new TaggedExchange(exchange));
}

/**
 * A 304 repeats the other fields (RFC 9110 section 15.4.5). Fields that describe the content are removed,
 * because it is not sent.
 */
const OF_CONTENT = ['content-length', 'content-type', 'content-encoding', 'content-language'];

class TaggedExchange extends WrappedExchange {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const { method, fields: asked } = this.request;
    const isTagged = body !== undefined && status === 200 && (method === 'GET' || method === 'HEAD');
    if (!isTagged) {
      super.respond(status, fields, body);
      return;
    }
    const list = new FieldList(fields);
    const tag = list.get('etag') ?? `"${createHash('sha1').update(body).digest('base64url')}"`;
    list.set('etag', tag);
    if (matches(asked.list('if-none-match'), tag)) {
      for (const name of OF_CONTENT) list.delete(name);
      super.respond(304, list, '');
    } else {
      super.respond(200, list, body);
    }
  }

  /** Requests for pushed responses have no conditions. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }
}

function matches(known: readonly string[], tag: string): boolean {
  const opaque = (each: string) => (each.startsWith('W/') ? each.slice(2) : each);
  return known.some((each) => each === '*' || opaque(each) === opaque(tag));
}
