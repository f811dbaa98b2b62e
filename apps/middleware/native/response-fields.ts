/**
 * Fields that no response should have, and some that every one should.
 *
 * The trouble it stands for: it must see every response there is: what is pushed, what is interim, and what accepts a tunnel.
 */
import type {
  FieldsInit,
  Middleware,
  PushedResponse,
  PushRequest,
  Tunnel,
} from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange, WrappedResponse } from '../../../workers/middleware/compose.ts';

/** They tell who is here, and help nobody but an attacker. */
const REMOVED = ['server', 'x-powered-by', 'x-aspnet-version', 'x-runtime'];
const ADDED = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'SAMEORIGIN',
};

export function responseFields(): Middleware {
  return (application) => (exchange) => application(new SanitisedExchange(exchange));
}

function sanitised(fields: FieldsInit | undefined): FieldList {
  const list = new FieldList(fields);
  for (const name of REMOVED) list.delete(name);
  for (const [name, value] of Object.entries(ADDED)) if (!list.has(name)) list.append(name, value);
  return list;
}

class SanitisedExchange extends WrappedExchange {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, sanitised(fields), body);
  }

  override accept(fields?: FieldsInit): Tunnel {
    return super.accept(sanitised(fields));
  }

  override async push(request: PushRequest): Promise<PushedResponse | null> {
    const pushed = await super.push(request);
    return pushed === null ? null : new SanitisedPush(pushed);
  }
}

class SanitisedPush extends WrappedResponse {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, sanitised(fields), body);
  }
}
