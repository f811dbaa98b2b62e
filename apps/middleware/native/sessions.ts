/**
 * Sessions in a signed cookie. There is no store, because the next request may reach another thread.
 *
 * The difficulty they demonstrate: a layer below must find the session whatever is in between, and the cookie
 * can only be set with the head, which another layer sends. The session is offered under a key, which layers
 * pass through.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type {
  ExtensionKey,
  FieldsInit,
  Middleware,
  PushedResponse,
  PushRequest,
  Tunnel,
} from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';

/** Serialisable values by name. Values that are set before the head is sent are kept. */
export type Session = Map<string, string>;
/** It bypasses nothing: a session is no part of the exchange. */
export const session: ExtensionKey<Session> = { name: 'gallery.example/session', bypasses: [] };

/** The size of a cookie that browsers accept (RFC 6265 section 6.1), less its name and attributes. */
const MAX_COOKIE_BYTES = 3800;

export interface SessionOptions {
  /** Signs the cookie: at least 32 bytes. Anyone who has this key can make sessions. */
  readonly key: Uint8Array;
  readonly cookie?: string;
}

export function sessions({ key, cookie = 'session' }: SessionOptions): Middleware {
  if (key.length < 32) throw new TypeError(`expected a key of at least 32 bytes, got ${key.length}`);
  return (application) => (exchange) => application(new SessionExchange(exchange, key, cookie));
}

class SessionExchange extends WrappedExchange {
  readonly #key: Uint8Array;
  readonly #cookie: string;
  #session: Session | null = null;
  #before = '';

  constructor(inner: WrappedExchange['inner'], key: Uint8Array, cookie: string) {
    super(inner);
    this.#key = key;
    this.#cookie = cookie;
  }

  override extension<T>(key: ExtensionKey<T>): T | null {
    return (key as ExtensionKey<unknown>) === session ? (this.#open() as T) : super.extension(key);
  }

  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, this.#withCookie(fields), body);
  }

  override accept(fields?: FieldsInit): Tunnel {
    return super.accept(this.#withCookie(fields));
  }

  /** A session belongs to the page, not to the resources pushed with it. */
  override push(request: PushRequest): Promise<PushedResponse | null> {
    return super.push(request);
  }

  #open(): Session {
    this.#session ??= this.#read();
    return this.#session;
  }

  #read(): Session {
    for (const pair of this.request.fields.all('cookie').join('; ').split(/; */)) {
      if (!pair.startsWith(`${this.#cookie}=`)) continue;
      const [text = '', signature = ''] = pair.slice(this.#cookie.length + 1).split('.');
      const expected = this.#sign(text);
      const given = Buffer.from(signature, 'base64url');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) continue;
      this.#before = text;
      return new Map(Object.entries(JSON.parse(Buffer.from(text, 'base64url').toString())));
    }
    return new Map();
  }

  #withCookie(fields: FieldsInit | undefined): FieldsInit | undefined {
    if (this.#session === null) return fields;
    const text = Buffer.from(JSON.stringify(Object.fromEntries(this.#session))).toString('base64url');
    if (text === this.#before || (this.#before === '' && this.#session.size === 0)) return fields;
    if (text.length > MAX_COOKIE_BYTES) {
      throw new RangeError(`expected a session of at most ${MAX_COOKIE_BYTES} bytes, got ${text.length}`);
    }
    const secure = this.request.scheme === 'https' ? '; Secure' : '';
    const value = `${this.#cookie}=${text}.${this.#sign(text).toString('base64url')}; Path=/; HttpOnly; SameSite=Lax${secure}`;
    return new FieldList(fields).append('set-cookie', { value, indexing: 'never' });
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
