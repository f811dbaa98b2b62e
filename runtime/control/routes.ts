/** What the control socket answers: routes by method and path, which any part of the server may add. */
import { ControlCode, ControlRefusal } from './errors.ts';

/** One request and its answer, as a route sees it. */
export interface ControlExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborts when the client leaves, or the server ends, before the answer is whole. */
  readonly signal: AbortSignal;
  /** The whole body of the request, `control.maxBodyBytes` at most. Rejects when the client leaves first. */
  body(): Promise<Buffer>;
  /**
   * The body as JSON; undefined when there is none.
   * @throws ControlRefusal when it is no JSON
   */
  json(): Promise<unknown>;
  /** Answers with JSON. */
  answer(status: number, value: unknown): void;
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

export class ControlRoutes {
  /** By path, then by method. */
  readonly #routes = new Map<string, Map<string, ControlHandler>>();

  /** @param path exact, without a query */
  add(method: string, path: string, handler: ControlHandler): void {
    const methods = this.#routes.get(path) ?? new Map<string, ControlHandler>();
    if (methods.has(method)) throw new Error(`expected one handler of ${method} ${path}, came a second`);
    methods.set(method, handler);
    this.#routes.set(path, methods);
  }

  /** @throws ControlRefusal */
  find(method: string, path: string): ControlHandler {
    const methods = this.#routes.get(path);
    if (methods === undefined) {
      const known = [...this.#routes.keys()].join(', ');
      throw new ControlRefusal(404, ControlCode.NotFound, `expected one of ${known}, came ${path}`);
    }
    const handler = methods.get(method);
    if (handler !== undefined) return handler;
    const known = [...methods.keys()].join(', ');
    const message = `${path}: expected ${known}, came ${method}`;
    throw new ControlRefusal(405, ControlCode.MethodNotAllowed, message, ['allow', known]);
  }
}
