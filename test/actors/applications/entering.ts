/** Actors that enter async contexts wherever their code runs, and say in which they were called. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActorContext, Call } from '../../../workers/actors/actors.ts';

const storage = new AsyncLocalStorage<string>();

/** Whose context it is, before it becomes this one's. */
function enter(who: string): string {
  const before = storage.getStore() ?? 'nobody';
  storage.enterWith(who);
  return before;
}

class Entering {
  readonly #made: string;
  #started = '';

  constructor(key: string, _context: ActorContext) {
    this.#made = enter(`constructor ${key}`);
  }

  async start(): Promise<void> {
    this.#started = enter('start');
  }

  async stop(): Promise<void> {
    enter('stop');
  }

  async promised(who: string): Promise<string> {
    return enter(who);
  }

  sync(who: string): string {
    return enter(who);
  }

  thenable(who: string): unknown {
    // biome-ignore lint/suspicious/noThenProperty: what is not quite a promise is what is tried
    return { then: (resolve: (value: string) => void) => resolve(enter(who)) };
  }

  thrown(who: string): never {
    throw new Error(enter(who));
  }

  async *stream(who: string): AsyncGenerator<string> {
    yield enter(who);
  }

  made(): string {
    // A constructor and its start are one's own.
    return `${this.#made}, ${this.#started.replace(/^constructor .*/, 'its constructor')}`;
  }

  /** Waits for the end of the call, whose listener enters another context. */
  async aborted(who: string, call: Call): Promise<void> {
    storage.enterWith(who);
    await new Promise<void>((resolve) => {
      call.signal.addEventListener('abort', () => {
        heard.push(`${who} heard in ${enter(`listener of ${who}`)}`);
        resolve();
      });
      listening++;
    });
  }

  /** How many calls of `aborted` listen. */
  listening(): number {
    return listening;
  }

  /** What the listeners of `aborted` were called in. */
  heard(): string[] {
    return heard.toSorted();
  }
}

const heard: string[] = [];
let listening = 0;

export class Keyed extends Entering {
  static interleave = ['aborted', 'heard', 'listening'];
}

export class Pooled extends Entering {}
