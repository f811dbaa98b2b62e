/**
 * Makes the calls that a test asks for, from its own thread: the body is a JSON array of them, the answer one of what became of each.
 * They are all under way at once, in this order.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type ActorError,
  actor,
  type EachResult,
  traceContext,
  traceOf,
} from '../../../workers/actors/actors.ts';
import type { Exchange } from '../../../workers/gateway.ts';
import { Signals } from '../../server/signals.ts';
import { tenant } from './tenant.ts';

export interface Asked {
  readonly actor: string;
  readonly key?: string;
  readonly method: string;
  readonly args?: readonly unknown[];
  /** Streams that it is given before the arguments. */
  readonly feed?: Feed | readonly Feed[];
  readonly tell?: boolean;
  /** For every instance; the value is the list of what became of each. */
  readonly each?: boolean;
  readonly deadlineMs?: number;
  /** A tell that is made so often, and awaited never. The thread does other work after every 10,000. */
  readonly flood?: number;
  /** The answer is read as a stream, and left after so many items; the value is their list. */
  readonly take?: number;
  /** Given up, it ends its thread unless it ends by itself. */
  readonly hard?: boolean;
  /** When it has been made, and all others, its thread tells the word with `-begun` behind it and computes until the word is told. */
  readonly blockOn?: readonly [channel: string, word: string];
  /** The value is how many bytes the heap of the calling thread has grown by since it was made. */
  readonly weighed?: boolean;
  /** Its signal is aborted when it has been made. */
  readonly abort?: boolean;
  /** Its signal is aborted when this word is told on this channel. */
  readonly abortOn?: readonly [channel: string, word: string];
}

export interface Feed {
  readonly count: number;
  /** Of each item, a string that begins with its number; 0: the number itself. */
  readonly bytes?: number;
  readonly throwsAt?: number;
  /** Waits there for what never comes. */
  readonly waitsAt?: number;
  /** Gives there what is no plain data. */
  readonly oddAt?: number;
  /** Where it tells `fed-N` of each item that it is asked for, and `returned` when it has ended. */
  readonly channel?: string;
  /** Not a generator but an iterator that somebody has written by hand, and which breaks the rules. */
  readonly rude?: 'throws' | 'number' | 'no-iterator';
}

export type Described = EachResult<unknown> & { readonly reason?: Outcome['error'] };

export interface Outcome {
  readonly value?: unknown;
  /** Items that each of its streams was asked for. */
  readonly fed?: readonly number[];
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly code?: string;
    readonly begun?: string;
    readonly by?: string;
    readonly retryable?: boolean;
    readonly at: 'call' | 'settled';
  };
}

type AnyClient = { readonly [method: string]: (...args: unknown[]) => Promise<unknown> };
type AnyHandle = AnyClient & {
  of(key: string): AnyClient & { tell: AnyClient };
  readonly tell: AnyClient;
  readonly each: AnyClient;
};

export default async function caller(exchange: Exchange): Promise<void> {
  const asked = JSON.parse(await exchange.body.text()) as Asked[];
  const { fields } = exchange.request;
  const trace = traceOf(fields);
  const name = fields.get('x-tenant');
  let make = () => Promise.all(asked.map(outcomeOf));
  if (trace !== undefined) make = inContext(make, (made) => traceContext.run(trace, made));
  // What no message can carry, where a test asks for it.
  const store = name === 'function' ? { name: () => name } : { name };
  if (typeof name === 'string') make = inContext(make, (made) => tenant.run(store, made));
  const outcomes = await make();
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(outcomes));
}

type Make = () => Promise<Outcome[]>;

function inContext(make: Make, run: (make: Make) => Promise<Outcome[]>): Make {
  return () => run(make);
}

async function outcomeOf({
  actor: name,
  key,
  method,
  args: given = [],
  feed = [],
  tell,
  each,
  deadlineMs,
  hard,
  abort,
  abortOn,
  blockOn,
  take,
  flood = 0,
  weighed,
}: Asked): Promise<Outcome> {
  const controller = new AbortController();
  const options = {
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(hard !== undefined && { hard }),
    ...((abort === true || abortOn !== undefined) && { signal: controller.signal }),
  };
  const feeds = [feed].flat();
  const fed = feeds.map(() => 0);
  const args = [...feeds.map((each, index) => streamOf(each, () => fed[index]++)), ...given];
  const told = feeds.length > 0 ? { fed } : {};
  const all = Object.keys(options).length === 0 ? args : [...args, options];
  let answer: Promise<unknown>;
  const heapBytes = weighed === true ? process.memoryUsage().heapUsed : 0;
  try {
    const handle = actor(name) as unknown as AnyHandle;
    const client = key === undefined ? handle : handle.of(key);
    const called = (each === true ? handle.each : tell === true ? client.tell : client) as AnyClient;
    for (let i = 1; i <= flood; i++) {
      void (called[method] as AnyClient[string])(...all);
      if (i % 10_000 === 0) await setImmediate();
    }
    answer = (called[method] as AnyClient[string])(...all);
  } catch (error) {
    return { error: describe(error, 'call') };
  }
  const signals = abortOn === undefined ? undefined : new Signals(abortOn[0]);
  void signals?.until(abortOn?.[1] ?? '').then(() => controller.abort(new Error('the test has aborted it')));
  const items: unknown[] = [];
  if (blockOn !== undefined) globalThis.setImmediate(block, ...blockOn);
  if (abort === true) controller.abort(new Error('the test has aborted it'));
  try {
    const value = take === undefined ? await answer : await taken(answer, take, items);
    if (each === true) return { ...told, value: (value as EachResult<unknown>[]).map(describeResult) };
    return { ...told, value };
  } catch (error) {
    const value = weighed === true ? process.memoryUsage().heapUsed - heapBytes : items;
    const isTold = weighed === true || items.length > 0;
    return { ...told, ...(isTold && { value }), error: describe(error, 'settled') };
  } finally {
    signals?.close();
  }
}

function block(channel: string, word: string): void {
  const signals = new Signals(channel);
  signals.tell(`${word}-begun`);
  signals.blockUntil(word);
  signals.close();
}

function streamOf(feed: Feed, count: () => void): unknown {
  const { rude } = feed;
  if (rude === undefined) return generated(feed, count);
  if (rude === 'no-iterator') return { [Symbol.asyncIterator]: () => undefined };
  const next = (): unknown => {
    if (rude === 'throws') throw new RangeError('at once');
    return 5;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

async function* generated(
  { count, bytes = 0, throwsAt, waitsAt, oddAt, channel }: Feed,
  asked: () => void,
): AsyncGenerator<unknown> {
  const signals = channel === undefined ? undefined : new Signals(channel);
  try {
    for (let n = 0; n < count; n++) {
      asked();
      signals?.tell(`fed-${n}`);
      if (n === throwsAt) throw new RangeError(`no item ${n}`);
      if (n === waitsAt) await new Promise(() => undefined);
      if (n === oddAt) yield { when: () => n };
      else yield bytes === 0 ? n : `${n} `.padEnd(bytes, 'x');
    }
  } finally {
    signals?.tell('returned');
    globalThis.setImmediate(() => signals?.close());
  }
}

async function taken(answer: unknown, most: number, items: unknown[]): Promise<unknown[]> {
  for await (const item of answer as AsyncIterable<unknown>) {
    items.push(item);
    if (items.length >= most) break;
  }
  return items;
}

function describeResult(result: EachResult<unknown>): Described {
  if (result.status === 'fulfilled') return result;
  return { ...result, reason: describe(result.reason, 'settled') };
}

function describe(error: unknown, at: 'call' | 'settled'): NonNullable<Outcome['error']> {
  const { name, message, code, begun, by, retryable } = error as ActorError;
  return { name, message, code, begun, by, retryable, at };
}
