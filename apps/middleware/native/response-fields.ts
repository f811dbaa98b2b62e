/**
 * Fields that no response should have, and some that every response should have.
 *
 * The difficulty it demonstrates: it must see every response, including pushed and interim ones and those
 * that accept a tunnel.
 */
import type {
  FieldsInit,
  Middleware,
  PushedResponse,
  PushRequest,
  Tunnel,
} from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange, WrappedResponse } from '../../../workers/middleware/compose.ts';

/** They reveal the software in use, which only helps an attacker. */
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
