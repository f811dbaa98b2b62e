/** Task functions: a module of plain functions whose calls run in a pool. */
import type { ActorContext, Call } from '../../../workers/actors/actors.ts';
import { Signals } from '../../server/signals.ts';

let thread = 'not started';

export function start(context: ActorContext): void {
  thread = context.thread;
}

export function double(n: number): number {
  return 2 * n;
}

export async function where(): Promise<string> {
  return thread;
}

/** Progress, and the result behind it. */
export async function* sum(numbers: readonly number[], call: Call): AsyncGenerator<Progress> {
  let total = 0;
  for (const [index, n] of numbers.entries()) {
    call.signal.throwIfAborted();
    total += n;
    yield { done: index + 1, of: numbers.length };
  }
  yield { result: total };
}

export type Progress = { readonly done: number; readonly of: number } | { readonly result: number };

/** Runs until its caller gives it up. */
export async function untilAborted(channel: string, call: Call): Promise<void> {
  const signals = new Signals(channel);
  const aborted = new Promise((resolve) => call.signal.addEventListener('abort', resolve));
  signals.tell('waiting');
  await aborted;
  signals.tell('aborted');
  setImmediate(() => signals.close());
}

/** Runs until the test says so, whatever its caller does. */
export async function hold(channel: string, word: string): Promise<string> {
  const signals = new Signals(channel);
  const told = signals.until(word);
  signals.tell(`${word}-begun`);
  await told;
  signals.close();
  return thread;
}

/** Computes until the test says so: it cannot listen. */
export function block(channel: string, word: string): string {
  const signals = new Signals(channel);
  signals.tell(`${word}-begun`);
  signals.blockUntil(word);
  signals.close();
  return thread;
}

/** No function of the pool: it is a class. */
export class Unrelated {
  readonly isOne = true;
}
