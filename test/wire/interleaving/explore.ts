/**
 * Walks the interleavings of two programs, one in this thread and one in a `Peer`, at the granularity of
 * shared accesses.
 */

import type { AtomicWords } from '../../../wire/atomics.ts';
import { type Peer, stepped } from './peer.ts';

/** A program that runs in this thread. Its set-up is not interleaved; the function that it returns is. */
export type Program = (atomics: AtomicWords) => () => void;

export interface Run {
  readonly peer: Peer;
  readonly program: number;
  /** Before each run: puts the memory into its initial state. */
  readonly reset: () => void;
  readonly here: Program;
  /** After each run, when both sides have ended: throws if the outcome is wrong. */
  readonly check: () => void;
}

/** A scenario with more interleavings is too large. */
const MOST_RUNS = 30_000;

/**
 * Walks the interleavings by depth-first search, one run each, and returns their number. With `mostSwitches`
 * it walks only those in which the sides alternate at most that often: races need few switches, and the
 * number of runs stays small.
 */
export function explore(run: Run, mostSwitches = Number.POSITIVE_INFINITY): number {
  let prefix: boolean[] = [];
  let runs = 0;
  for (;;) {
    if (++runs > MOST_RUNS) throw new Error(`more than ${MOST_RUNS} interleavings`);
    const decisions = runOnce(run, (choice) => prefix[choice] ?? false);
    const next = lastAlternative(decisions, mostSwitches);
    if (next === -1) return runs;
    prefix = [...decisions.slice(0, next), true];
  }
}

/** The last decision that stayed on a side and could have switched; -1 if there is none left. */
function lastAlternative(decisions: readonly boolean[], mostSwitches: number): number {
  for (
    let at = decisions.lastIndexOf(false);
    at !== -1;
    at = at === 0 ? -1 : decisions.lastIndexOf(false, at - 1)
  ) {
    const switches = decisions.slice(0, at).filter(Boolean).length + 1;
    if (switches <= mostSwitches) return at;
  }
  return -1;
}

/**
 * One run, which begins on this side. At each point where both sides could continue, `switches(choice)`
 * decides whether the other side does. Returns the decisions. Once the peer has ended there is nothing to
 * decide.
 */
export function runOnce(run: Run, switches: (choice: number) => boolean): boolean[] {
  const { peer, program, reset, here, check } = run;
  const decisions: boolean[] = [];
  let isStepping = false;
  let isPeersTurn = false;
  reset();
  peer.start(program);
  const body = here(
    stepped(() => {
      while (isStepping && !peer.isDone) {
        const decision = switches(decisions.length);
        decisions.push(decision);
        if (decision) isPeersTurn = !isPeersTurn;
        if (!isPeersTurn) return;
        peer.step();
      }
    }),
  );
  isStepping = true;
  body();
  isStepping = false;
  while (!peer.isDone) peer.step();
  check();
  return decisions;
}
