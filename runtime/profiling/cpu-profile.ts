/**
 * V8's CPU profiles: joins the parts of one thread's profile, each of which has a tree of its own, into one.
 */

export interface CallFrame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  /** Counted from 0; -1: unknown. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface CpuProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly hitCount?: number;
  readonly children?: number[];
}

/** As in a .cpuprofile file. Times are microseconds of the process's monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes. */
  readonly samples: readonly number[];
  /** Time since the previous sample, or since the start. */
  readonly timeDeltas: readonly number[];
}

/** A period in which the thread was at one place of its tree. */
export interface Run {
  readonly startUs: number;
  readonly endUs: number;
  /** Index in `nodes`; 0, the root: nothing ran. */
  readonly node: number;
}

export interface CallTree {
  /** Parents come before their children; the first is the root. */
  readonly nodes: readonly { readonly parent: number; readonly callFrame: CallFrame }[];
  readonly runs: readonly Run[];
  readonly startUs: number;
  readonly endUs: number;
}

const ROOT: CallFrame = { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
/** V8's name for a thread that waits for events. */
const IDLE = '(idle)';
/** Sluice's name, in a file, for the time between two parts. */
const UNSAMPLED: CallFrame = { ...ROOT, functionName: '(not sampled)' };

/** @param parts in the order of time */
export function mergeParts(parts: readonly CpuProfile[]): CallTree {
  const nodes: { readonly parent: number; readonly callFrame: CallFrame }[] = [
    { parent: 0, callFrame: ROOT },
  ];
  const known = new Map<string, number>();
  const runs: Run[] = [];
  const nodeOf = (parent: number, callFrame: CallFrame): number => {
    const { functionName, url, lineNumber, columnNumber } = callFrame;
    const key = `${parent} ${lineNumber} ${columnNumber} ${url} ${functionName}`;
    let node = known.get(key);
    if (node === undefined) {
      node = nodes.push({ parent, callFrame }) - 1;
      known.set(key, node);
    }
    return node;
  };
  for (const part of parts) addPart(part, nodeOf, runs);
  const startUs = parts[0]?.startTime ?? 0;
  return { nodes, runs, startUs, endUs: parts.at(-1)?.endTime ?? startUs };
}

function addPart(
  { nodes, samples, timeDeltas, startTime, endTime }: CpuProfile,
  nodeOf: (parent: number, frame: CallFrame) => number,
  runs: Run[],
): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const merged = new Map<number, number>();
  const [root] = nodes;
  if (root === undefined) return;
  merged.set(root.id, 0);
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child === undefined) continue;
      const isIdle = node === root && child.callFrame.functionName === IDLE;
      merged.set(id, isIdle ? 0 : nodeOf(merged.get(node.id) as number, child.callFrame));
      waiting.push(child);
    }
  }
  let time = startTime;
  /** Nothing is known before the first sample. */
  let open = -1;
  let openedUs = startTime;
  const close = (endUs: number): void => {
    if (open !== -1 && endUs > openedUs) runs.push({ startUs: openedUs, endUs, node: open });
  };
  for (const [index, id] of samples.entries()) {
    // A sample may be out of order by some microseconds.
    time = Math.max(time, time + (timeDeltas[index] as number));
    const node = merged.get(id) ?? 0;
    if (node === open) continue;
    close(Math.min(time, endTime));
    open = node;
    openedUs = Math.min(time, endTime);
  }
  close(endTime);
}

/** One profile in V8's form, in which the time between the parts belongs to no function. */
export function toCpuProfile({ nodes, runs, startUs, endUs }: CallTree): CpuProfile {
  const frames = [
    ...nodes,
    { parent: 0, callFrame: { ...ROOT, functionName: IDLE } },
    { parent: 0, callFrame: UNSAMPLED },
  ];
  const idle = nodes.length;
  const unsampled = nodes.length + 1;
  const out = frames.map(({ callFrame }, index) => ({
    id: index + 1,
    callFrame,
    hitCount: 0,
    children: [] as number[],
  }));
  for (const [index, { parent }] of frames.entries()) if (index > 0) out[parent]?.children.push(index + 1);
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  let time = startUs;
  const sample = (atUs: number, index: number): void => {
    samples.push(index + 1);
    timeDeltas.push(atUs - time);
    time = atUs;
    const node = out[index];
    if (node !== undefined) node.hitCount++;
  };
  let end = startUs;
  for (const { startUs: from, endUs: to, node } of runs) {
    if (from > end) sample(end, unsampled);
    sample(from, node === 0 ? idle : node);
    end = to;
  }
  sample(endUs, idle);
  return { nodes: out, startTime: startUs, endTime: endUs, samples, timeDeltas };
}

/** Microseconds in which anything ran. */
export function busyUsOf({ runs }: CallTree): number {
  let us = 0;
  for (const { node, startUs, endUs } of runs) if (node !== 0) us += endUs - startUs;
  return us;
}
