/**
 * The chain of calls: a method that asks another actor waits for it, the method that asked that method waits as well, and so on.
 *
 * The reactor knows the chain of every call that it has. A call over a direct channel does not pass the reactor, so the chain travels in
 * the payload. The calling thread compares it with the instance that it is about to ask. This finds only suspects, because
 * only the reactor knows whether a call of the chain is already over. The thread sends a suspect to the reactor, which decides.
 */
import { MAX_CHAIN_CALLS, MAX_CHAIN_KEY_CHARS } from '../../wire/actors/bounds.ts';
import { CallFlag, type ChainCall } from '../../wire/actors/messages.ts';

export interface Chain {
  /** Innermost first. */
  readonly calls: readonly ChainCall[];
  /** Whether the chain is complete. If not, the reactor gave the last call and knows the others. */
  readonly isWhole: boolean;
}

/** The number of values that each call of a chain adds to a payload. */
const VALUES = 6;
const MAX_INTEGER = 2 ** 32 - 1;
/** A chain takes up to 1 KiB. Messages of an actor with a smaller limit do not carry one. */
const LEAST_BYTES_WITH_CHAIN = 4_096;

/** The settings of the called actor. */
export interface Called {
  readonly index: number;
  readonly settings: {
    readonly kind: string;
    readonly maxCallDepth: number;
    readonly maxMessageBytes: number;
  };
}

/** The chain as the payload carries it. Null: it is not carried, because it is too long or not completely known. */
export function carriedChain(chain: Chain, called: Called): readonly (number | string)[] | null {
  if (!canBeCarried(chain, called)) return null;
  const carried: (number | string)[] = [];
  for (const { channel, slot, generation, actor, flags, key } of chain.calls) {
    carried.push(channel, slot, generation, actor, flags, key);
  }
  return carried;
}

function canBeCarried({ calls, isWhole }: Chain, { settings }: Called): boolean {
  if (!isWhole || calls.length > MAX_CHAIN_CALLS) return false;
  if (settings.maxMessageBytes < LEAST_BYTES_WITH_CHAIN) return false;
  let keyChars = 0;
  for (const { key } of calls) keyChars += key.length;
  return keyChars <= MAX_CHAIN_KEY_CHARS;
}

/** The chain that a call belongs to, itself included. @param carried what its payload says; undefined: no method has made it */
export function chainWith(call: ChainCall, carried: unknown): Chain {
  if (carried === undefined) return { calls: [call], isWhole: true };
  const before = decodedChain(carried);
  return before === null ? { calls: [call], isWhole: false } : { calls: [call, ...before], isWhole: true };
}

/** Null: there is no chain, or it is not one that `carriedChain` writes. */
function decodedChain(carried: unknown): ChainCall[] | null {
  if (!Array.isArray(carried) || carried.length % VALUES !== 0) return null;
  if (carried.length > MAX_CHAIN_CALLS * VALUES) return null;
  const calls: ChainCall[] = [];
  let keyChars = 0;
  for (let at = 0; at < carried.length; at += VALUES) {
    const [channel, slot, generation, actor, flags, key] = carried.slice(at, at + VALUES) as unknown[];
    if (!isInteger(channel) || !isInteger(slot) || !isInteger(generation)) return null;
    if (!isInteger(actor) || !isInteger(flags) || typeof key !== 'string') return null;
    keyChars += key.length;
    if (keyChars > MAX_CHAIN_KEY_CHARS) return null;
    calls.push({ channel, slot, generation, actor, flags, key });
  }
  return calls;
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_INTEGER;
}

/** Whether the reactor has to look at a call that a method makes. @param chain of the method's call @param flags of the new one */
export function isSuspect(chain: Chain, called: Called, key: string, flags: number): boolean {
  const { calls } = chain;
  const { index, settings } = called;
  // The new call is one level deeper.
  if (calls.length >= settings.maxCallDepth || !canBeCarried(chain, called)) return true;
  if (settings.kind === 'pool' || (flags & CallFlag.Interleaves) !== 0) return false;
  for (const { actor, key: other, flags: otherFlags } of calls) {
    if (actor === index && other === key && (otherFlags & CallFlag.Interleaves) === 0) return true;
  }
  return false;
}

/** The calls of a chain that the reactor does not know, up to the first one that it gave itself. */
export function namedToReactor({ calls }: Chain): readonly ChainCall[] {
  const given = calls.findIndex(({ channel }) => channel === 0);
  return given === -1 ? calls : calls.slice(0, given + 1);
}
