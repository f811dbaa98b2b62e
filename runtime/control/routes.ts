/** What the control socket answers: routes by method and path, which any part of the server may add. */
import { ControlCode, ControlRefusal } from './errors.ts';

/** One request and its answer, as a route sees it. */
export interface ControlExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of the request: Host, or what stands for it. */
  readonly authority: string;
  /** Empty over a Unix domain socket. */
  readonly remoteAddress: string;
  /** The value of a field that came once; undefined: it did not come, or more than once. @param name in lower case */
  field(name: string): string | undefined;
  /** Aborts when the client leaves, or the server ends, before the answer is whole. */
  readonly signal: AbortSignal;
  /** The whole body of the request, `control.maxBodyBytes` at most. Rejects when the client leaves first. */
  body(): Promise<Buffer>;
  /**
   * The body as JSON; undefined when there is none.
   * @throws ControlRefusal when it is no JSON
   */
  json(): Promise<unknown>;
  /** Answers with JSON. @param fields more of them, in pairs */
  answer(status: number, value: unknown, fields?: readonly string[]): void;
  /** Begins an answer that `write` and `end` go on with. */
  respond(status: number, type: string): void;
  /** Resolves when the client has taken enough for more; rejects when it has left. */
  write(chunk: Uint8Array | string): Promise<void>;
  end(): void;
}

/**
 * Runs in the reactor's thread: it must not compute for long. What it throws is answered: a `ControlRefusal` as it says, anything
 * else with 500, and the log has it. One that returns without an answer has answered 204.
 */
export type ControlHandler = (exchange: ControlExchange) => Promise<void> | void;

/** The segments of a path that stand for anything, by their names. */
export type PathParameters = Readonly<Record<string, string>>;

export type RouteHandler = (exchange: ControlExchange, parameters: PathParameters) => Promise<void> | void;

/** Who knows what answers a request. */
export interface RouteTable {
  /** @throws ControlRefusal */
  find(method: string, path: string, exchange: ControlExchange): ControlHandler;
}

export class ControlRoutes implements RouteTable {
  /** By path, then by method. */
  readonly #routes = new Map<string, Map<string, RouteHandler>>();

  /** Of every route: its method and its path as it was added. */
  *entries(): Generator<readonly [method: string, path: string]> {
    for (const [path, methods] of this.#routes) for (const method of methods.keys()) yield [method, path];
  }

  /** Something is answered there, by some method. */
  has(path: string): boolean {
    return this.#routes.has(path);
  }

  /** @param path without a query; a segment such as `{pool}` stands for any */
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

/** Null: the path is not of that pattern. */
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
    // What is no encoding of anything names nothing.
    return null;
  }
}
