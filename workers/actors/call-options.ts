/** The options of a call. They follow its arguments; this file tells the two apart. */
import type { CallOptions } from './types.ts';

const OPTION_NAMES: ReadonlySet<string> = new Set(['deadlineMs', 'signal', 'hard', 'reuseMemory']);

const marked = new WeakSet<object>();

/**
 * Marks options, so that they cannot be mistaken for an argument. For code that passes on arguments that it does
 * not know: if the last of them looks like options, it stays data, because marked options follow it.
 */
export function callOptions(options: CallOptions = {}): CallOptions {
  const own = Object.freeze({ ...options });
  marked.add(own);
  return own;
}

/**
 * Returns the last argument if `callOptions` has marked it, or if all its properties are options of the right
 * types: a signal is never data, and a deadline alone hardly ever.
 */
export function optionsOf(args: readonly unknown[]): CallOptions | undefined {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null) return undefined;
  try {
    return optionsIn(last);
  } catch {
    // A trap or a getter threw, so `last` is an argument and not options. The encoder refuses it and names its path.
    return undefined;
  }
}

function optionsIn(last: object): CallOptions | undefined {
  if (!('deadlineMs' in last || 'signal' in last || 'hard' in last || 'reuseMemory' in last))
    return marked.has(last) ? last : undefined;
  if (marked.has(last)) return last as CallOptions;
  const names = Object.keys(last);
  if (names.length === 0 || !names.every((name) => OPTION_NAMES.has(name))) return undefined;
  const { deadlineMs, signal, hard, reuseMemory } = last as { readonly [name: string]: unknown };
  if (deadlineMs !== undefined && typeof deadlineMs !== 'number') return undefined;
  if (signal !== undefined && !(signal instanceof AbortSignal)) return undefined;
  if (hard !== undefined && typeof hard !== 'boolean') return undefined;
  if (reuseMemory !== undefined && typeof reuseMemory !== 'boolean') return undefined;
  return last as CallOptions;
}
