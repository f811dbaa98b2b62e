/**
 * Basic authentication (RFC 7617).
 *
 * The difficulty it demonstrates: it must also apply to WebSockets and uploads. A refusal comes before the
 * application is called. So nothing of the body has been transferred, and a tunnel is refused like any
 * request.
 */
import type { ExtensionKey, Middleware } from '../../../workers/gateway.ts';
import { WrappedExchange } from '../../../workers/middleware/compose.ts';

/** The name of the authenticated user. */
export const user: ExtensionKey<string> = { name: 'gallery.example/user', bypasses: [] };

export interface AuthenticationOptions {
  readonly realm: string;
  verify(name: string, password: string): boolean | Promise<boolean>;
}

const CREDENTIALS = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

export function authentication({ realm, verify }: AuthenticationOptions): Middleware {
  const challenge = `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`;
  return (application) => async (exchange) => {
    const given = CREDENTIALS.exec(exchange.request.fields.get('authorization') ?? '');
    const text = given === null ? '' : Buffer.from(given[1] as string, 'base64').toString();
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(0, colon));
    if (colon === -1 || !(await verify(name, text.slice(colon + 1)))) {
      return exchange.respond(401, { 'www-authenticate': challenge }, 'Who are you?\n');
    }
    return application(new KnownExchange(exchange, name));
  };
}

/** The layers below can read who the user is. */
export class KnownExchange extends WrappedExchange {
  readonly #user: string;

  constructor(inner: WrappedExchange['inner'], name: string) {
    super(inner);
    this.#user = name;
  }

  override extension<T>(key: ExtensionKey<T>): T | null {
    return (key as ExtensionKey<unknown>) === user ? (this.#user as T) : super.extension(key);
  }
}
