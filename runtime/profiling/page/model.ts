/** The threads' stacks over time, laid out in rows that can be searched by time. */
import type { LaneData } from './data.ts';
import { decodeIntegers } from './decode.ts';

/** One depth of a thread's stacks: spans in the order of time, none overlapping. */
export interface Level {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly nodes: Int32Array;
}

export interface LaneModel {
  readonly name: string;
  readonly pool: string;
  readonly note: string;
  readonly parents: Int32Array;
  /** Indexed by node; -1 for the root. */
  readonly frames: Int32Array;
  readonly runStarts: Float64Array;
  readonly runEnds: Float64Array;
  readonly runNodes: Int32Array;
  readonly levels: readonly Level[];
}

class LevelBuilder {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #nodes: number[] = [];

  add(start: number, end: number, node: number): void {
    this.#starts.push(start);
    this.#ends.push(end);
    this.#nodes.push(node);
  }

  build(): Level {
    return {
      starts: Float64Array.from(this.#starts),
      ends: Float64Array.from(this.#ends),
      nodes: Int32Array.from(this.#nodes),
    };
  }
}

export function readLane({ name, pool, note, nodes, runs }: LaneData): LaneModel {
  const nodeNumbers = decodeIntegers(nodes);
  const count = nodeNumbers.length / 2 + 1;
  const parents = new Int32Array(count);
  const frames = new Int32Array(count).fill(-1);
  for (let node = 1; node < count; node++) {
    parents[node] = node - nodeNumbers[2 * node - 2];
    frames[node] = nodeNumbers[2 * node - 1];
  }
  const runNumbers = decodeIntegers(runs);
  const runCount = runNumbers.length / 3;
  const runStarts = new Float64Array(runCount);
  const runEnds = new Float64Array(runCount);
  const runNodes = new Int32Array(runCount);
  let time = 0;
  let node = 0;
  for (let run = 0; run < runCount; run++) {
    time += runNumbers[3 * run];
    runStarts[run] = time;
    time += runNumbers[3 * run + 1];
    runEnds[run] = time;
    node += runNumbers[3 * run + 2];
    runNodes[run] = node;
  }
  const lane = { name, pool, note, parents, frames, runStarts, runEnds, runNodes };
  return { ...lane, levels: layOut(lane) };
}

/** A call that continues from one run to the next becomes one span. */
function layOut({
  parents,
  runStarts,
  runEnds,
  runNodes,
}: Pick<LaneModel, 'parents' | 'runStarts' | 'runEnds' | 'runNodes'>): Level[] {
  const levels: LevelBuilder[] = [];
  const openNodes: number[] = [];
  const openStarts: number[] = [];
  const path: number[] = [];
  const closeTo = (depth: number, end: number): void => {
    while (openNodes.length > depth) {
      const level = openNodes.length - 1;
      levels[level] ??= new LevelBuilder();
      levels[level].add(openStarts.pop() as number, end, openNodes.pop() as number);
    }
  };
  let previousEnd = 0;
  for (let run = 0; run < runNodes.length; run++) {
    const start = runStarts[run];
    if (start > previousEnd) closeTo(0, previousEnd);
    path.length = 0;
    for (let node = runNodes[run]; node !== 0; node = parents[node]) path.push(node);
    path.reverse();
    let common = 0;
    while (common < path.length && common < openNodes.length && path[common] === openNodes[common]) common++;
    closeTo(common, start);
    for (let depth = common; depth < path.length; depth++) {
      openNodes.push(path[depth]);
      openStarts.push(start);
    }
    previousEnd = runEnds[run];
  }
  closeTo(0, previousEnd);
  return levels.map((level) => level.build());
}

/** The first index whose value is greater than `value`; the values are sorted. */
export function firstAbove(values: Float64Array, value: number, from = 0): number {
  let low = from;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface FrameTimes {
  /** Microseconds, indexed by frame. */
  readonly self: Float64Array;
  /** Including the functions that it called; recursion counts once. */
  readonly total: Float64Array;
  readonly busyUs: number;
}

/** How much time the thread's frames took from `start` to `end`. */
export function timesOf(lane: LaneModel, frameCount: number, start: number, end: number): FrameTimes {
  const { parents, frames, runStarts, runEnds, runNodes } = lane;
  const ofNodes = new Float64Array(parents.length);
  let busyUs = 0;
  for (let run = firstAbove(runEnds, start); run < runNodes.length && runStarts[run] < end; run++) {
    const node = runNodes[run];
    if (node === 0) continue;
    const us = Math.min(runEnds[run], end) - Math.max(runStarts[run], start);
    ofNodes[node] += us;
    busyUs += us;
  }
  const self = new Float64Array(frameCount);
  const total = new Float64Array(frameCount);
  for (let node = 1; node < parents.length; node++) self[frames[node]] += ofNodes[node];
  // Parents come before their children.
  for (let node = parents.length - 1; node > 0; node--) ofNodes[parents[node]] += ofNodes[node];
  for (let node = 1; node < parents.length; node++) {
    if (ofNodes[node] > 0 && !isUnderItself(lane, node)) total[frames[node]] += ofNodes[node];
  }
  return { self, total, busyUs };
}

function isUnderItself({ parents, frames }: LaneModel, node: number): boolean {
  const frame = frames[node];
  for (let above = parents[node]; above !== 0; above = parents[above])
    if (frames[above] === frame) return true;
  return false;
}
