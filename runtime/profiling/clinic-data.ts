/**
 * Converts profiles of several threads into the files that clinic 13.0.0's viewers read: each thread is one function at the bottom of its
 * stacks.
 *
 *   X.clinic-flame/         a folder: X.clinic-flame-systeminfo, -samples (a stack for each tick), -inlinedfunctions
 *   X.clinic-heapprofiler   a file: V8's own sampling heap profile
 *
 * Both viewers decide from the text of a function's name whose code it is (`@clinic/flame/analysis/frame-node.js` and
 * `@clinic/heap-profiler/src/analysis/index.js`). A path must be absolute and no URL, and code without `.js` in its path
 * counts as V8's, which is hidden. So the path of a TypeScript file begins with a folder that contains `.js`, and then
 * goes up again: `/.js/../srv/app.ts`, which is the same path.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { busyUsOf, type CallFrame, type CallTree } from './cpu-profile.ts';

/** The version of `@clinic/flame` in that clinic. */
const FLAME_VERSION = '13.0.0';
/** Each tick is a whole stack in a JSON file that clinic reads at once. */
const MOST_TICKS = 12_000;

interface Tick {
  readonly name: string;
  readonly kind: '';
  readonly type: 'JS' | 'CPP';
}

/** A file's name, and its content. */
export type DataFile = readonly [name: string, content: string];

/** @returns null if nothing ran: clinic cannot make a page without a stack */
export function clinicFlameFiles(
  name: string,
  threads: readonly { readonly name: string; readonly tree: CallTree }[],
  directory: string,
): DataFile[] | null {
  const busyUs = threads.reduce((sum, { tree }) => sum + busyUsOf(tree), 0);
  if (busyUs === 0) return null;
  const ticks = threads.flatMap(({ name: thread, tree }) =>
    ticksOf(threadRoot(thread, directory), tree, busyUs / MOST_TICKS),
  );
  const systemInfo = {
    mainDirectory: directory,
    pathSeparator: '/',
    nodeVersions: process.versions,
    toolVersion: FLAME_VERSION,
  };
  const file = (what: string, value: unknown): DataFile => [
    `${name}.clinic-flame-${what}`,
    JSON.stringify(value),
  ];
  return [file('systeminfo', systemInfo), file('samples', ticks), file('inlinedfunctions', {})];
}

/**
 * @param usPerTick a place that took less in all may get no tick; the thread gets at least one, so that it
 * appears
 */
function ticksOf(root: Tick, { nodes, runs }: CallTree, usPerTick: number): Tick[][] {
  const selfUs = new Float64Array(nodes.length);
  for (const { node, startUs, endUs } of runs) selfUs[node] = (selfUs[node] as number) + endUs - startUs;
  const ticks: Tick[][] = [];
  let owedUs = 0;
  for (let node = 1; node < nodes.length; node++) {
    owedUs += selfUs[node] as number;
    if (owedUs < usPerTick || selfUs[node] === 0) continue;
    const stack: Tick[] = [];
    for (let at = node; at !== 0; at = nodes[at]?.parent ?? 0) stack.push(tickOf(nodes[at]?.callFrame));
    stack.push(root);
    stack.reverse();
    for (; owedUs >= usPerTick; owedUs -= usPerTick) ticks.push(stack);
  }
  return ticks.length === 0 ? [[root]] : ticks;
}

function tickOf(frame: CallFrame | undefined): Tick {
  const { functionName = '', url = '', lineNumber = -1, columnNumber = -1 } = frame ?? {};
  const name = nameOf(functionName);
  if (url === '') return { name, kind: '', type: 'CPP' };
  return {
    name: `${name} ${pathOf(url)}:${lineNumber + 1}:${columnNumber + 1}`,
    kind: '',
    type: 'JS',
  };
}

/** Named so that the viewer treats it as a function of the application. */
function threadRoot(thread: string, directory: string): Tick {
  return { name: `${nameOf(thread)} ${pathOf(threadPath(thread, directory))}:1:1`, kind: '', type: 'JS' };
}

function threadPath(thread: string, directory: string): string {
  return join(directory, 'thread', `${nameOf(thread)}.js`);
}

/** A space ends a function's name. */
function nameOf(functionName: string): string {
  return functionName === '' ? '(anonymous)' : functionName.replaceAll(/\s+/g, '.');
}

function pathOf(url: string): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const clean = path.replaceAll(/\s/g, '_');
  return clean.startsWith('/') && !/\.m?js/.test(clean) ? MARK + clean : clean;
}

const MARK = '/.js/..';

/** The paths in clinic's output, without what `pathOf` has added. */
export function withoutMarks(text: string): string {
  return text.replaceAll(`${MARK}/`, '/');
}

// ---- heap

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly HeapNode[];
}

interface HeapProfile {
  readonly head: HeapNode;
  readonly samples: readonly {
    readonly size: number;
    readonly nodeId: number;
    readonly ordinal: number;
  }[];
}

/** @param threads each with its profile as V8 returns it */
export function clinicHeapProfile(
  threads: readonly { readonly name: string; readonly json: string }[],
  directory: string,
): string {
  let lastId = 1;
  const children: HeapNode[] = [];
  const samples: HeapProfile['samples'][number][] = [];
  for (const { name, json } of threads) {
    const { head, samples: own } = JSON.parse(json) as HeapProfile;
    const ids = new Map<number, number>();
    const copy = ({ callFrame, selfSize, id, children: below }: HeapNode): HeapNode => {
      ids.set(id, ++lastId);
      return { callFrame: readable(callFrame), selfSize, id: lastId, children: below.map(copy) };
    };
    const root = copy(head);
    children.push({
      ...root,
      callFrame: { ...rootFrame, functionName: nameOf(name), url: threadPath(name, directory) },
    });
    for (const sample of own) samples.push({ ...sample, nodeId: ids.get(sample.nodeId) ?? 1 });
  }
  const profile: HeapProfile = { head: { callFrame: rootFrame, selfSize: 0, id: 1, children }, samples };
  return JSON.stringify(profile);
}

const rootFrame: CallFrame = {
  functionName: '(root)',
  scriptId: '0',
  url: '',
  lineNumber: -1,
  columnNumber: -1,
};

function readable(frame: CallFrame): CallFrame {
  const { functionName, url } = frame;
  return { ...frame, functionName: nameOf(functionName), url: url === '' ? '' : pathOf(url) };
}
