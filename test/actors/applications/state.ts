/** Actors that tests call. Their words are told on a channel whose name the test gives. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ActorContext, actor, type Call, traceContext } from '../../../workers/actors/actors.ts';
import { Signals } from '../../server/signals.ts';
import { tenant } from './tenant.ts';

/** What outlasts an instance. */
export const SAVED: string = join(tmpdir(), `sluice-actors-${process.pid}`);

function load(key: string): number {
  try {
    return Number(readFileSync(join(SAVED, key), 'utf8'));
  } catch {
    // Nobody has saved it yet.
    return 0;
  }
}

function save(key: string, n: number): void {
  mkdirSync(SAVED, { recursive: true });
  writeFileSync(join(SAVED, key), String(n));
}

export class Counter {
  static interleave = ['peek'];
  readonly #key: string;
  readonly #context: ActorContext;
  #n = 0;
  #running = 0;
  #most = 0;
  #saved: number | undefined;

  constructor(key: string, context: ActorContext) {
    if (key === 'unbuildable') throw new RangeError('no such counter');
    this.#key = key;
    this.#context = context;
  }

  async start(): Promise<void> {
    await Promise.resolve();
    if (this.#key === 'unstartable') throw Object.assign(new TypeError('cannot start'), { code: 'NO_START' });
  }

  async add(by: number): Promise<number> {
    this.#running++;
    this.#most = Math.max(this.#most, this.#running);
    const before = this.#n;
    // Another that ran meanwhile would be lost.
    await new Promise((resolve) => setImmediate(resolve));
    this.#n = before + by;
    this.#running--;
    return this.#n;
  }

  /** Adds to what its last instance has left, as an actor does that saves its state in `stop`. */
  async addLasting(by: number): Promise<number> {
    this.#saved ??= load(this.#key);
    await new Promise((resolve) => setImmediate(resolve));
    this.#saved += by;
    return this.#saved;
  }

  stop(): void {
    if (this.#saved !== undefined) save(this.#key, this.#saved);
  }

  where(): string {
    return this.#context.thread;
  }

  /** Tells that it has been handled. */
  handle(channel: string): void {
    const signals = new Signals(channel);
    signals.tell('handled');
    signals.close();
  }

  peek(): { n: number; most: number; thread: string; key: string } {
    return { n: this.#n, most: this.#most, thread: this.#context.thread, key: this.#key };
  }

  /** Runs until the test says so. */
  async hold(channel: string, word: string): Promise<string> {
    const signals = new Signals(channel);
    const told = signals.until(word);
    signals.tell(`${word}-begun`);
    await told;
    signals.close();
    return word;
  }

  /** Calls itself, by way of another. */
  async around(): Promise<unknown> {
    return await actor<typeof Relay>('relay').add(this.#key);
  }

  async peekAround(): Promise<unknown> {
    return await actor<typeof Relay>('relay').peek(this.#key);
  }

  fails(): never {
    throw Object.assign(new RangeError('too much', { cause: new Error('inner') }), {
      code: 'TOO_MUCH',
      left: 3,
    });
  }
}

export class Relay {
  nothing(): void {}

  async add(key: string): Promise<number> {
    return await actor<typeof Counter>('counter').of(key).add(1);
  }

  async peek(key: string): Promise<number> {
    return (await actor<typeof Counter>('counter').of(key).peek()).n;
  }

  async carried(): Promise<unknown> {
    return await actor<typeof Tasks>('tasks').carried();
  }

  /** How much time it leaves to what it calls. */
  async remaining(): Promise<number> {
    return await actor<typeof Tasks>('tasks').remaining();
  }

  /** Waits for what never comes, by way of a call that its own end ends. */
  async waits(channel: string): Promise<unknown> {
    return await actor<typeof Tasks>('tasks').untilAborted(channel);
  }
}

let tasksMade = 0;

export class Tasks {
  readonly #context: ActorContext;
  readonly #object = ++tasksMade;

  constructor(context: ActorContext) {
    this.#context = context;
  }

  echo<T>(value: T): T {
    return value;
  }

  where(): string {
    return this.#context.thread;
  }

  /** Wants to begin anew. Which of its thread's objects it is. */
  restarts(reason: string): number {
    this.#context.restart(reason);
    return this.#object;
  }

  /** So much, when it is this call's turn at a counter. */
  async sizedAfter(key: string, bytes: number): Promise<string> {
    await actor<typeof Counter>('counter').of(key).add(1);
    return 'x'.repeat(bytes);
  }

  /** What came along. */
  async carried(): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve));
    return { tenant: tenant.getStore(), trace: traceContext.getStore() };
  }

  remaining(call: Call): number {
    return call.remainingMs;
  }

  async untilAborted(channel: string, call: Call): Promise<void> {
    const signals = new Signals(channel);
    const aborted = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    signals.tell('waiting');
    await aborted;
    signals.tell('aborted');
    signals.close();
  }

  /** Holds its thread, as a computation does. */
  block(channel: string, word: string): string {
    const signals = new Signals(channel);
    signals.tell(`${word}-begun`);
    signals.blockUntil(word);
    signals.close();
    return this.#context.thread;
  }

  /** Runs until the test says so, and counts that it has begun. */
  async hold(channel: string, word: string): Promise<string> {
    const signals = new Signals(channel);
    const told = signals.until(word);
    signals.tell('begun');
    await told;
    signals.close();
    return this.#context.thread;
  }

  exit(): void {
    process.exit(7);
  }

  returns(what: string): unknown {
    if (what === 'function') return { inner: [() => 1] };
    if (what === 'proto') return JSON.parse('{"__proto__": {"polluted": true}}');
    if (what === 'large') return 'x'.repeat(2_500_000);
    if (what === 'set') return new Set([1, 'two']);
    throw new Error(what);
  }

  throws(): never {
    const error = new AggregateError([new Error('one')], 'many');
    error.cause = error;
    Object.defineProperty(error, 'stack', {
      get(): never {
        throw new Error('no stack');
      },
    });
    throw error;
  }
}

export class Streams {
  #made = 0;
  readonly #context: ActorContext;

  constructor(context: ActorContext) {
    this.#context = context;
  }

  async *count(to: number): AsyncGenerator<number> {
    for (let n = 0; n < to; n++) {
      this.#made++;
      yield n;
    }
  }

  made(): number {
    return this.#made;
  }

  /** Pieces whose contents say which they are. */
  async *pieces(count: number, bytes: number): AsyncGenerator<string> {
    for (let n = 0; n < count; n++) yield `${n} `.padEnd(bytes, 'x');
  }

  async *relayed(count: number, bytes: number): AsyncGenerator<string> {
    for await (const piece of actor<typeof Streams>('streams').pieces(count, bytes)) yield piece;
  }

  async *carried(count: number): AsyncGenerator<unknown> {
    for (let n = 0; n < count; n++) {
      yield tenant.getStore()?.name;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async *waits(channel: string, call: Call): AsyncGenerator<number> {
    const signals = new Signals(channel);
    const aborted = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
    try {
      yield 1;
      await aborted;
    } finally {
      signals.tell('returned');
      // What has been told goes on its way with the next turn of the loop.
      setImmediate(() => signals.close());
    }
  }

  /** Waits for what never comes, and does not look at its signal. */
  async *deaf(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  }

  async *fails(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw new RangeError('no third');
  }

  async *odd(): AsyncGenerator<unknown> {
    yield { fine: true };
    yield { when: () => 1 };
  }

  /** Tells where it runs, then holds. */
  async *holds(channel: string): AsyncGenerator<string> {
    const signals = new Signals(channel);
    yield this.#context.thread;
    const released = signals.until('release');
    signals.tell('holding');
    await released;
    signals.close();
  }
}
