/**
 * The inspector of the whole process, used from a thread of its own. It reaches the main thread and, through
 * the main thread's NodeWorker domain, each thread that the main thread has started. A request interrupts
 * JavaScript wherever it is, so a thread that computes responds too. A thread that is in native code, or
 * waits in `Atomics.wait`, responds when it is back.
 *
 * Replies of threads pass through the main thread as text, and are parsed here. Each keeps the main thread
 * from its event loop for some milliseconds per megabyte, so large ones should be requested one after
 * another.
 */
import { Session } from 'node:inspector';

/** A thread whose profile can be requested: the main thread, or another. */
export interface InspectedThread {
  /** Node's number; 0 for the main thread. */
  readonly threadId: number;
  /** @returns the result as JSON text */
  post(method: string, parameters?: object): Promise<string>;
}

export interface InspectorObserver {
  /** Also called for threads that existed before. */
  onThread(thread: InspectedThread): void;
  /** Requests without a reply fail. */
  onThreadGone(threadId: number): void;
}

/** The thread has ended, or was released. */
export class ThreadGoneError extends Error {
  override readonly name = 'ThreadGoneError';
}

/** Node gives threads this title for debuggers, in every version; the number is `threadId`. */
const TITLE = /^\[worker (\d+)\]/;

export class Inspector {
  readonly #session = new Session();
  readonly #observer: InspectorObserver;
  readonly #ownThreadId: number;
  /** Keyed by the inspector's own numbers. */
  readonly #threads = new Map<string, Worker>();
  /** Keeps the thread's event loop alive, which the session alone does not. */
  readonly #alive = setInterval(() => undefined, 2 ** 30);
  readonly main: InspectedThread = {
    threadId: 0,
    post: async (method, parameters) => JSON.stringify(await this.#post(method, parameters)),
  };

  constructor(ownThreadId: number, observer: InspectorObserver) {
    this.#ownThreadId = ownThreadId;
    this.#observer = observer;
    const session = this.#session;
    session.connectToMainThread();
    session.on('NodeWorker.attachedToWorker', ({ params }) =>
      this.#attached(params.sessionId, params.workerInfo.title),
    );
    session.on('NodeWorker.detachedFromWorker', ({ params }) => this.#detached(params.sessionId));
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) =>
      this.#threads.get(params.sessionId)?.receive(params.message),
    );
  }

  /** Begins to report threads. */
  async follow(): Promise<void> {
    await this.#post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  /** Releases all threads. Whatever this inspector started in them stops. Idempotent. */
  close(): void {
    clearInterval(this.#alive);
    for (const id of [...this.#threads.keys()]) this.#detached(id);
    this.#session.disconnect();
  }

  #post(method: string, parameters: object = {}): Promise<object | undefined> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error, result) => {
        if (error === null) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }

  #attached(id: string, title: string): void {
    const threadId = Number(TITLE.exec(title)?.[1]);
    // A thread that inspects itself waits for itself.
    if (!Number.isInteger(threadId) || threadId === this.#ownThreadId) return;
    const worker = new Worker(threadId, (message) =>
      this.#post('NodeWorker.sendMessageToWorker', { sessionId: id, message }),
    );
    this.#threads.set(id, worker);
    this.#observer.onThread(worker);
  }

  #detached(id: string): void {
    const worker = this.#threads.get(id);
    if (worker === undefined) return;
    this.#threads.delete(id);
    worker.end();
    this.#observer.onThreadGone(worker.threadId);
  }
}

class Worker implements InspectedThread {
  readonly threadId: number;
  readonly #send: (message: string) => Promise<unknown>;
  readonly #asked = new Map<number, PromiseWithResolvers<string>>();
  #lastId = 0;

  constructor(threadId: number, send: (message: string) => Promise<unknown>) {
    this.threadId = threadId;
    this.#send = send;
  }

  post(method: string, parameters: object = {}): Promise<string> {
    const id = ++this.#lastId;
    const reply = Promise.withResolvers<string>();
    this.#asked.set(id, reply);
    this.#send(JSON.stringify({ id, method, params: parameters })).catch((error: unknown) => {
      this.#asked.delete(id);
      reply.reject(new ThreadGoneError(String(error)));
    });
    return reply.promise;
  }

  /**
   * `{"id":1,"result":…}`: the result is not parsed, because it may be megabytes that are passed on
   * unchanged.
   */
  receive(message: string): void {
    const match = /^\{"id":(\d+),"result":/.exec(message);
    if (match === null) {
      this.#receiveOther(message);
      return;
    }
    const id = Number(match[1]);
    this.#asked.get(id)?.resolve(message.slice(match[0].length, -1));
    this.#asked.delete(id);
  }

  /** An error, or an event that was not requested. */
  #receiveOther(message: string): void {
    const { id, result, error } = JSON.parse(message);
    if (typeof id !== 'number') return;
    if (error === undefined) this.#asked.get(id)?.resolve(JSON.stringify(result));
    else this.#asked.get(id)?.reject(new Error(String(error.message)));
    this.#asked.delete(id);
  }

  end(): void {
    for (const reply of this.#asked.values()) reply.reject(new ThreadGoneError('the thread has ended'));
    this.#asked.clear();
  }
}
