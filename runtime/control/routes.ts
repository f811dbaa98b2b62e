/** Routes of the control socket by method and path. Any part of the server may add some. */
import { ControlCode, ControlRefusal } from './errors.ts';

/** A request and its answer, as a route sees them. */
export interface ControlExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The Host of the request, or `:authority`. */
  readonly authority: string;
  /** Empty over a Unix domain socket. */
  readonly remoteAddress: string;
  /** The value of a single field; undefined if it is missing or was sent more than once. @param name in lower case */
  field(name: string): string | undefined;
  /**
   * The client has shown that it may ask. Until then its connection gives way to others.
   * @throws ControlRefusal if too many are being answered, or too often
   */
  letIn(): void;
  /** Aborts when the client leaves or the server ends before the answer is complete. */
  readonly signal: AbortSignal;
  /** The whole body, at most `control.maxBodyBytes`. Rejects if the client leaves first. */
  body(): Promise<Buffer>;
  /**
   * The body as JSON; undefined if it is empty.
   * @throws ControlRefusal if it is not JSON
   */
  json(): Promise<unknown>;
  /** Answers with JSON. @param fields further fields, in pairs */
  answer(status: number, value: unknown, fields?: readonly string[]): void;
  /** Begins an answer. `write` and `end` follow. */
  respond(status: number, type: string): void;
  /** Resolves when the client has read enough for more; rejects if it has left. */
  write(chunk: Uint8Array | string): Promise<void>;
  end(): void;
}

/**
 * Runs in the reactor's thread, so it must not compute for long. A thrown `ControlRefusal` becomes the answer; any other error is logged and answered
 * with 500. If it returns without an answer, the answer is 204.
 */
export type ControlHandler = (exchange: ControlExchange) => Promise<void> | void;

/** Values of a path's variable segments, by name. */
export type PathParameters = Readonly<Record<string, string>>;

export type RouteHandler = (exchange: ControlExchange, parameters: PathParameters) => Promise<void> | void;

/** Finds the handler of a request. */
export interface RouteTable {
  /** @throws ControlRefusal */
  find(method: string, path: string, exchange: ControlExchange): ControlHandler;
}

export class ControlRoutes implements RouteTable {
  /** By path, then by method. */
  readonly #routes = new Map<string, Map<string, RouteHandler>>();

  /** Method and path pattern of every route. */
  *entries(): Generator<readonly [method: string, path: string]> {
    for (const [path, methods] of this.#routes) for (const method of methods.keys()) yield [method, path];
  }

  /** Whether any method has a route there. */
  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** @param path without a query; a segment such as `{pool}` matches any value */
  add(method: string, path: string, handler: RouteHandler): void {
    const methods = this.#routes.get(path) ?? new Map<string, RouteHandler>();
    if (methods.has(method)) throw new Error(`expected one handler of ${method} ${path}, got a second`);
    methods.set(method, handler);
    this.#routes.set(path, methods);
  }

  /** @throws ControlRefusal */
  find(method: string, path: string): ControlHandler {
    const { methods, parameters } = this.#match(path);
    const handler = methods.get(method);
    if (handler !== undefined) return (exchange) => handler(exchange, parameters);
    const known = [...methods.keys()].join(', ');
    const message = `${path}: expected ${known}, got ${method}`;
    throw new ControlRefusal(405, ControlCode.MethodNotAllowed, message, ['allow', known]);
  }

  #match(path: string): {
    readonly methods: ReadonlyMap<string, RouteHandler>;
    readonly parameters: PathParameters;
  } {
    const exact = this.#routes.get(path);
    if (exact !== undefined && !path.includes('{')) return { methods: exact, parameters: {} };
    for (const [pattern, methods] of this.#routes) {
      const parameters = parametersOf(pattern, path);
      if (parameters !== null) return { methods, parameters };
    }
    const known = [...this.#routes.keys()].join(', ');
    throw new ControlRefusal(404, ControlCode.NotFound, `expected one of ${known}, got ${path}`);
  }
}

/** Null if the path does not match the pattern. */
function parametersOf(pattern: string, path: string): PathParameters | null {
  if (!pattern.includes('{')) return null;
  const names = pattern.split('/');
  const segments = path.split('/');
  if (names.length !== segments.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const segment = segments[index] as string;
    if (!name.startsWith('{')) {
      if (name !== segment) return null;
      continue;
    }
    const value = decoded(segment);
    if (value === null || value === '') return null;
    parameters[name.slice(1, -1)] = value;
  }
  return parameters;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A malformed percent-encoding matches nothing.
    return null;
  }
}
