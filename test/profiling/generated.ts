/** A profile as large as that of a busy server over half a minute, generated without one. */
import { Collected } from '../../runtime/profiling/collected.ts';
import type { CpuProfile, CpuProfileNode } from '../../runtime/profiling/cpu-profile.ts';
import type { ExchangeRow } from '../../runtime/profiling/messages.ts';

const START_US = 5_000_000_000;
const INTERVAL_US = 1_000;
const FUNCTIONS = 400;
const BREADTH = 4;
const DEPTH = 14;

/** Pseudo-random numbers, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface GeneratedSize {
  readonly threads: number;
  readonly seconds: number;
  readonly exchanges: number;
}

export function generateProfile({ threads, seconds, exchanges }: GeneratedSize): Collected {
  const collected = new Collected();
  const none = Buffer.alloc(0);
  const durationMs = seconds * 1_000;
  collected.add(
    {
      type: 'started',
      pid: 42,
      kind: 'cpu',
      node: 'v24.0.0',
      startUs: START_US,
      wallClockMs: 0,
      intervalUs: INTERVAL_US,
      durationMs,
    },
    none,
  );
  for (let threadId = 0; threadId < threads; threadId++) {
    const name = threadId === 0 ? 'reactor' : `render-${threadId}`;
    const thread = { threadId, name, pool: threadId === 0 ? '' : 'render' };
    collected.add({ type: 'thread', thread, atUs: START_US, joined: false }, none);
    const part = Buffer.from(JSON.stringify(generatePart(threadId, durationMs)));
    collected.add({ type: 'cpu', threadId }, part);
  }
  const table = {
    oneOf: 1,
    labels: ['GET /render'],
    pools: ['render'],
    threads: Array.from({ length: threads - 1 }, (_, index) => `render-${index + 1}`),
    rows: generateRows(exchanges, threads - 1, durationMs * 1_000),
  };
  collected.add({ type: 'exchanges' }, Buffer.from(JSON.stringify(table)));
  collected.add({ type: 'end', reason: 'time', endUs: START_US + durationMs * 1_000 }, none);
  return collected;
}

/** Stacks in which most samples differ from the previous one, as in code that does many things. */
function generatePart(seed: number, samples: number): CpuProfile {
  const random = numbers(seed + 1);
  const nodes: CpuProfileNode[] = [];
  const leaves: number[] = [];
  const add = (functionName: string, url: string, lineNumber: number): number => {
    const callFrame = { functionName, scriptId: '1', url, lineNumber, columnNumber: 0 };
    return nodes.push({ id: nodes.length + 1, callFrame, children: [] });
  };
  const grow = (parent: number, depth: number): void => {
    if (depth === DEPTH) leaves.push(parent);
    const children = depth === DEPTH ? 0 : depth < 5 ? BREADTH : 1 + Math.floor(random() * 1.3);
    for (let child = 0; child < children; child++) {
      const number = Math.floor(random() * FUNCTIONS);
      const url = `file:///srv/application/source/${number % 40}.ts`;
      const id = add(`function${number}`, url, number);
      nodes[parent - 1]?.children?.push(id);
      grow(id, depth + 1);
    }
  };
  add('(root)', '', -1);
  const idle = add('(idle)', '', -1);
  nodes[0]?.children?.push(idle);
  grow(1, 0);
  const ids = Array.from({ length: samples }, () =>
    random() < 0.1 ? idle : (leaves[Math.floor(random() * leaves.length)] as number),
  );
  return {
    nodes,
    startTime: START_US,
    endTime: START_US + samples * INTERVAL_US,
    samples: ids,
    timeDeltas: ids.map((_, index) => (index === 0 ? 0 : INTERVAL_US)),
  };
}

function generateRows(count: number, threads: number, durationUs: number): ExchangeRow[] {
  const random = numbers(99);
  return Array.from({ length: count }, (_, index): ExchangeRow => {
    const submitted = START_US + Math.floor((index / count) * durationUs);
    const assigned = submitted + Math.floor(random() * 5_000);
    const begun = assigned + Math.floor(random() * 2_000);
    const first = begun + Math.floor(random() * 9_000);
    const released = first + Math.floor(random() * 3_000);
    const stalls = random() < 0.2 ? [0, first, released] : [];
    const thread = Math.floor(random() * threads);
    return [0, 0, thread, submitted, assigned, begun, first, released, released + 100, 0, 0, ...stalls];
  });
}
