/**
 * The inspector of the whole process, from a thread of its own: the main thread's, and through its NodeWorker domain that of each
 * thread that the main thread has started. What is asked interrupts JavaScript wherever it is, so a thread that computes
 * answers too; one in native code, or that waits in `Atomics.wait`, answers when it is back.
 *
 * Answers of threads pass through the main thread as text, and are parsed here. One at a time, they keep it from its event loop
 * for some milliseconds for each megabyte: whoever asks for large ones asks for one after another.
 */
import { Session } from 'node:inspector';

/** Where a profile is asked for: the main thread, or another. */
export interface InspectedThread {
  /** Node's; 0 for the main thread. */
  readonly threadId: number;
  /** @returns the result as JSON text */
  post(method: string, parameters?: object): Promise<string>;
}

export interface InspectorObserver {
  /** Also of those that were there before. */
  onThread(thread: InspectedThread): void;
  /** What it was asked and has not answered fails. */
  onThreadGone(threadId: number): void;
}

/** The thread has ended, or was let go. */
export class ThreadGoneError extends Error {
  override readonly name = 'ThreadGoneError';
}

/** Node names its threads so for debuggers, on every version; the number is `threadId`. */
const TITLE = /^\[worker (\d+)\]/;

export class Inspector {
  readonly #session = new Session();
  readonly #observer: InspectorObserver;
  readonly #ownThreadId: number;
  /** By the inspector's own numbers. */
  readonly #threads = new Map<string, Worker>();
  /** The session alone does not keep a thread's event loop alive. */
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

  /** Begins to tell of threads. */
  async follow(): Promise<void> {
    await this.#post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  /** Lets all go; whatever was running in them for this inspector stops. Idempotent. */
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
    // Whoever inspects itself waits for itself.
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
    const answer = Promise.withResolvers<string>();
    this.#asked.set(id, answer);
    this.#send(JSON.stringify({ id, method, params: parameters })).catch((error: unknown) => {
      this.#asked.delete(id);
      answer.reject(new ThreadGoneError(String(error)));
    });
    return answer.promise;
  }

  /** `{"id":1,"result":…}`: the result is not parsed, it may be megabytes that go on as they are. */
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

  /** An error, or an event that nobody has asked for. */
  #receiveOther(message: string): void {
    const { id, result, error } = JSON.parse(message);
    if (typeof id !== 'number') return;
    if (error === undefined) this.#asked.get(id)?.resolve(JSON.stringify(result));
    else this.#asked.get(id)?.reject(new Error(String(error.message)));
    this.#asked.delete(id);
  }

  end(): void {
    for (const answer of this.#asked.values()) answer.reject(new ThreadGoneError('the thread has ended'));
    this.#asked.clear();
  }
}
