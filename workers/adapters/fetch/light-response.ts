/**
 * A `Response` that consists of a status, a list of fields and a complete body.
 *
 * Making a Response of the platform costs more than the rest of a small answer, and most responses are only made, returned and sent. This
 * class replaces it in threads that run Fetch handlers (`globals.ts`). It makes a Response of the platform at once if its arguments are
 * not simple, and later if anything but the status is read.
 */
import { plainName } from '../../../wire/field-marks.ts';
import { LowerNames } from '../lower-names.ts';
import { takeMembers } from './platform-members.ts';

export const PlatformResponse: typeof Response = globalThis.Response;
/** The first parameter of the platform's constructor. */
export type ResponseBody = ConstructorParameters<typeof Response>[0];

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const names = new LowerNames((name) => NAME.test(name));
/** The platform trims white space around a value, so such a value is not simple. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;
const NULL_BODY = new Set([101, 204, 205, 304]);
const TEXT = 'text/plain;charset=UTF-8';

export type SimpleBody = string | Uint8Array | null;

/** A body that a native application has yet to write. */
export interface HeldBody {
  /** The body for a layer that looks at it. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Nobody has looked at the body: the application writes it behind this head. Resolves when the body is out. */
  commit(status: number, flat: readonly string[]): Promise<void>;
}

export class LightResponse {
  readonly #status: number;
  readonly #flat: string[];
  readonly #body: SimpleBody;
  #held: HeldBody | null = null;
  #platform: Response | null = null;

  constructor(body?: ResponseBody, init?: ResponseInit) {
    const status = init?.status === undefined ? 200 : init.status;
    const flat = isSimple(body) && isSimpleInit(status, body, init) ? flatOf(init?.headers) : null;
    this.#status = status;
    this.#flat = flat ?? [];
    this.#body = flat === null ? null : ownBytes((body ?? null) as SimpleBody);
    if (flat === null) this.#platform = new PlatformResponse(body, init);
    else if (typeof body === 'string' && !carries(flat, 'content-type')) flat.push('content-type', TEXT);
  }

  /** A response whose body a native application has yet to write. The body becomes a stream only if a layer reads it. */
  static held(status: number, flat: readonly string[], held: HeldBody): LightResponse {
    const response = new LightResponse(null, { status });
    response.#flat.push(...flat);
    response.#held = held;
    return response;
  }

  /** Nothing but the status has been read. */
  get isLight(): boolean {
    return this.#platform === null;
  }
  get flat(): string[] {
    return this.#flat;
  }
  get simpleBody(): SimpleBody {
    return this.#body;
  }
  get heldBody(): HeldBody | null {
    return this.#held;
  }

  /** The Response of the platform, made once. */
  get platform(): Response {
    if (this.#platform === null) {
      const headers: [string, string][] = [];
      for (let i = 0; i < this.#flat.length; i += 2)
        headers.push([plainName(this.#flat[i]), this.#flat[i + 1]]);
      const body = this.#held === null ? this.#body : this.#held.stream;
      this.#platform = new PlatformResponse(body as ResponseBody, { status: this.#status, headers });
    }
    return this.#platform;
  }

  get status(): number {
    return this.#platform?.status ?? this.#status;
  }
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }
  get bodyUsed(): boolean {
    return this.#platform?.bodyUsed ?? false;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof PlatformResponse;
  }
  static json(data: unknown, init?: ResponseInit): Response {
    return PlatformResponse.json(data, init);
  }
  static redirect(url: string | URL, status?: number): Response {
    return PlatformResponse.redirect(url, status as never);
  }
  static error(): Response {
    return PlatformResponse.error();
  }
}

takeMembers(LightResponse.prototype, PlatformResponse.prototype);

export function isLightResponse(value: unknown): value is LightResponse {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === LightResponse.prototype
  );
}

/** A Response copies its bytes (Fetch Standard, "extract a body"), because the caller may overwrite the buffer. */
function ownBytes(body: SimpleBody): SimpleBody {
  return body instanceof Uint8Array ? new Uint8Array(body) : body;
}

function isSimple(body: unknown): body is SimpleBody | undefined {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array;
}

function isSimpleInit(status: number, body: SimpleBody | undefined, init: ResponseInit | undefined): boolean {
  if (!Number.isInteger(status) || status < 200 || status > 599) return false;
  if (init !== undefined && typeof init !== 'object') return false;
  if (init?.statusText !== undefined && init.statusText !== '') return false;
  return !(NULL_BODY.has(status) && body !== undefined && body !== null);
}

/** A flat list with names in lower case; null if the platform must check the fields. */
function flatOf(headers: ResponseInit['headers']): string[] | null {
  const flat: string[] = [];
  if (headers === undefined) return flat;
  if (typeof headers !== 'object' || headers === null) return null;
  if (typeof (headers as Iterable<unknown>)[Symbol.iterator] !== 'function') {
    for (const name of Object.keys(headers)) if (!add(flat, name, headers[name as never])) return null;
    return flat;
  }
  // An iterator that can be read only once is left to the platform.
  if (!Array.isArray(headers) && !(headers instanceof Headers)) return null;
  for (const pair of headers) {
    if (!Array.isArray(pair) || pair.length !== 2 || !add(flat, pair[0], pair[1])) return null;
  }
  return flat;
}

/** False if the platform must check the field. */
function add(flat: string[], name: unknown, value: unknown): boolean {
  if (typeof name !== 'string' || typeof value !== 'string' || !VALUE.test(value)) return false;
  const lower = names.of(name);
  // The platform joins a repeated field into one line (Fetch Standard, "append").
  if (lower === null || (lower !== 'set-cookie' && carries(flat, lower))) return false;
  flat.push(lower, value);
  return true;
}

function carries(flat: readonly string[], name: string): boolean {
  for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return true;
  return false;
}
