/** The options of a call: what stands behind its arguments, told from an argument. */
import type { CallOptions } from './types.ts';

const OPTION_NAMES: ReadonlySet<string> = new Set(['deadlineMs', 'signal', 'hard', 'reuseMemory']);

const marked = new WeakSet<object>();

/**
 * Options that nothing else can be taken for. For code that passes on arguments which it does not know: the last of them may look like
 * options itself, and is data where these stand behind it.
 */
export function callOptions(options: CallOptions = {}): CallOptions {
  const own = Object.freeze({ ...options });
  marked.add(own);
  return own;
}

/**
 * The last argument, when `callOptions` has made it, or when it has nothing but options, each of its type: a signal is no data, and a
 * deadline alone hardly is.
 */
export function optionsOf(args: readonly unknown[]): CallOptions | undefined {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null) return undefined;
  try {
    return optionsIn(last);
  } catch {
    // A trap or a getter has thrown: it is an argument, which the encoder refuses with its path.
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
