/**
 * Walks the interleavings of two programs, one here and one in a `Peer`, at the granularity of shared accesses.
 */

import type { AtomicWords } from '../../../wire/atomics.ts';
import { type Peer, stepped } from './peer.ts';

/** A run of the program here: `setUp` is not interleaved, what it returns is. */
export type Program = (atomics: AtomicWords) => () => void;

export interface Run {
  readonly peer: Peer;
  readonly program: number;
  /** Before each run: puts the memory into its first state. */
  readonly reset: () => void;
  readonly here: Program;
  /** After each run, when both sides have ended. Throws when what they did is wrong. */
  readonly check: () => void;
}

/** More than this is a scenario that was made too large. */
const MOST_RUNS = 30_000;

/**
 * The interleavings of a run by depth-first search, one run each. How many there were. With `mostSwitches`, only those
 * in which the two sides take turns at most so often: races need few switches, and their number stays small.
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

/** The last decision that stayed and could have switched; -1 when there is none left. */
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
 * One run, which begins on this side. `switches(choice)` decides at the n-th point where both sides could go on whether
 * the other side goes on instead. Returns what it decided; when the peer has ended there is nothing to decide.
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
