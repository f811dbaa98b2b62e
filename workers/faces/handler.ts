/** The handler face (docs/sgi.md, rule 12.3): an object with a method for each event of an exchange. Each call is awaited. */
import type { Application, Closed, Exchange, HandlerApplication, HandlerClass } from '../gateway.ts';

export function fromHandler(handler: HandlerApplication | HandlerClass): Application {
  if (typeof handler !== 'function') return faceOf(handler) ?? ((exchange) => run(handler, exchange));
  const { prototype } = handler;
  const isSimple =
    prototype.onData === undefined && prototype.onEnd === undefined && prototype.onClose === undefined;
  if (isSimple) return (exchange) => new handler().onHeaders(exchange);
  return (exchange) => run(new handler(), exchange);
}

/** A handler that has only `onHeaders` is a function of an exchange. */
function faceOf(handler: HandlerApplication): Application | null {
  if (handler.onData !== undefined || handler.onEnd !== undefined || handler.onClose !== undefined)
    return null;
  return (exchange) => handler.onHeaders(exchange);
}

async function run(handler: HandlerApplication, exchange: Exchange): Promise<void> {
  const closing = new Closing(handler, exchange);
  await handler.onHeaders(exchange);
  if (handler.onData !== undefined || handler.onEnd !== undefined) {
    for await (const piece of exchange.body) await handler.onData?.(exchange, piece);
    await handler.onEnd?.(exchange, await exchange.trailers);
  }
  await closing.ifClosed();
}

/**
 * Calls `onClose` once when the exchange is over. The exchange may end after the function has returned (because it was incomplete, or its
 * request was not read). No caller awaits `onClose` then, so its error becomes a warning.
 */
class Closing {
  #state: 'open' | 'closed' | 'waited for' = 'open';
  #called: Promise<void> = Promise.resolve();

  constructor(handler: HandlerApplication, exchange: Exchange) {
    if (handler.onClose === undefined) return;
    void exchange.closed.then((closed) => this.#call(handler, exchange, closed));
  }

  #call(handler: HandlerApplication, exchange: Exchange, closed: Closed): void {
    this.#state = 'closed';
    this.#called = (async () => handler.onClose?.(exchange, closed))();
    this.#called.catch((error: Error) => {
      if (this.#state !== 'waited for') process.emitWarning(error);
    });
  }

  async ifClosed(): Promise<void> {
    // An exchange that ended in this turn reports it in the next microtask.
    await undefined;
    if (this.#state !== 'closed') return;
    this.#state = 'waited for';
    await this.#called;
  }
}
