/**
 * One self-contained page for a CPU profile: a lane for each thread on one time axis, with the exchanges'
 * waits above.
 */
import { readFileSync } from 'node:fs';
import { readPageModule } from '../process/page-module.ts';
import { readVersion } from '../process/version.ts';
import type { Collected, CollectedThread } from './collected.ts';
import type { CallFrame, CallTree } from './cpu-profile.ts';
import { encodeIntegers } from './encode.ts';
import type { ExchangeTable } from './messages.ts';
import { ownerOf } from './owners.ts';
import type { ExchangesData, LaneData, PageData } from './page/data.ts';
import { style } from './page/style.ts';

/** The modules of the page's script, in the order of their dependencies. */
const modules = ['decode', 'data', 'model', 'exchanges', 'painting', 'view', 'flame', 'waits', 'viewer'];
const HERE = import.meta.url;
const PAGE = new URL('./page/', HERE);

export function mergedPage(collected: Collected): string {
  return pageOf(pageData(collected));
}

export function pageOf(data: PageData): string {
  // `</script>` and `<!--` would end or change the element that contains the data.
  const json = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>CPU profile</title>
<style>${style}</style>
</head>
<body>
<header>
<div class="bar">
<h1 id="title"></h1><p id="subtitle"></p><span class="grow"></span>
<label>Find <input type="search" id="search" placeholder="function or file"></label>
<button type="button" id="whole">Whole profile</button>
<button type="button" id="theme">Light or dark</button>
<button type="button" id="keys">Keys</button>
</div>
<ul class="legend" id="legend" aria-label="colours"></ul>
<canvas id="ruler" role="img" aria-label="time axis"></canvas>
</header>
<ul class="notes" id="notes" aria-label="notes"></ul>
<main id="lanes"></main>
<aside aria-label="functions">
<div class="bar"><h2 id="scope"></h2><button type="button" id="all" hidden>All threads</button></div>
<table><thead><tr><th class="number">Self</th><th class="number"></th><th class="number">Total</th><th>Function</th><th>Place</th></tr></thead><tbody id="functions"></tbody></table>
</aside>
<div id="tip" role="tooltip" hidden></div>
<dialog id="help" aria-label="keys"><form method="dialog">
<dl>
<dt><kbd>W</kbd> <kbd>S</kbd></dt><dd>nearer, farther (or Ctrl and the wheel)</dd>
<dt><kbd>A</kbd> <kbd>D</kbd></dt><dd>earlier, later (or drag, or Shift and the wheel)</dd>
<dt><kbd>0</kbd></dt><dd>the whole profile</dd>
<dt>double click</dt><dd>one call</dd>
<dt><kbd>/</kbd> <kbd>Esc</kbd></dt><dd>find functions and files, and leave that</dd>
<dt><kbd>Tab</kbd> <kbd>Enter</kbd></dt><dd>from lane to lane, and fold one</dd>
<dt><kbd>T</kbd></dt><dd>light or dark</dd>
</dl>
<button>Close</button></form></dialog>
<script type="application/json" id="data">${json}</script>
<script type="module">
/*
${readLicence().trim()}
*/
${pageScript()}
</script>
</body>
</html>
`;
}

/** Joins the modules into one script: their names are unique, and they import only each other. */
function pageScript(): string {
  return modules.map(readModule).join('\n').replaceAll('</', '<\\/');
}

function readModule(name: string): string {
  return readPageModule(PAGE, name)
    .replaceAll(/^import\s[^;]*?\sfrom\s+'\.\/[^']+';$/gm, '')
    .replaceAll(/^export (?!\{)/gm, '')
    .replaceAll(/^export \{\};?$/gm, '');
}

/** Searches the parent folders, as Node does for package.json. */
function readLicence(): string {
  for (const up of ['../../LICENSE', '../../../LICENSE']) {
    try {
      return readFileSync(new URL(up, HERE), 'utf8');
    } catch {
      // The file is not here; a parent folder may have it.
    }
  }
  throw new Error('the package has no LICENSE file');
}

// ---- data

/** Sorts `render-2` before `render-10`. */
const inOrder = new Intl.Collator('en', { numeric: true });

export function pageData(collected: Collected): PageData {
  const { started, threads, end } = collected;
  const trees = threads.map((thread) => collected.treeOf(thread));
  const sampled = trees.filter(({ runs }) => runs.length > 0);
  const startUs = Math.min(started?.startUs ?? Infinity, ...sampled.map(({ startUs }) => startUs));
  const endUs = Math.max(end?.endUs ?? 0, ...sampled.map(({ endUs }) => endUs), startUs + 1);
  const tables = new Tables();
  const lanes = threads.map((thread, index) =>
    laneOf(thread, trees[index] as CallTree, startUs, endUs, tables),
  );
  lanes.sort((a, b) => Number(a.pool === '') - Number(b.pool === '') || inOrder.compare(a.name, b.name));
  const at = new Date(started?.wallClockMs ?? 0).toISOString();
  const seconds = ((endUs - startUs) / 1e6).toFixed(1);
  return {
    title: `CPU profile of process ${started?.pid}`,
    subtitle: `${at}, ${seconds} s, ${threads.length} threads, a sample each ${(started?.intervalUs ?? 0) / 1_000} ms; Node ${started?.node}, Sluice ${readVersion()}`,
    durationUs: endUs - startUs,
    strings: tables.strings,
    frames: tables.frames,
    lanes,
    exchanges: exchangesOf(collected.exchanges, startUs),
    notes: collected.problems,
  };
}

class Tables {
  readonly strings: string[] = [];
  readonly frames: [number, number, number, number, number][] = [];
  readonly #strings = new Map<string, number>();
  readonly #frames = new Map<string, number>();

  stringOf(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, this.strings.length);
    return this.strings.push(text) - 1;
  }

  frameOf(frame: CallFrame): number {
    const { functionName, url, lineNumber, columnNumber } = frame;
    const key = `${lineNumber} ${columnNumber} ${url} ${functionName}`;
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    this.#frames.set(key, this.frames.length);
    const name = this.stringOf(functionName || '(anonymous)');
    return this.frames.push([name, this.stringOf(url), lineNumber + 1, columnNumber + 1, ownerOf(frame)]) - 1;
  }
}

function laneOf(
  { name: { name, pool }, joined, gone, problems, atUs }: CollectedThread,
  { nodes, runs }: CallTree,
  startUs: number,
  endUs: number,
  tables: Tables,
): LaneData {
  const nodeNumbers = nodes
    .slice(1)
    .flatMap(({ parent, callFrame }, index) => [index + 1 - parent, tables.frameOf(callFrame)]);
  const runNumbers: number[] = [];
  let time = startUs;
  let last = 0;
  for (const { startUs: from, endUs: to, node } of runs) {
    const start = Math.round(from);
    const end = Math.round(to);
    runNumbers.push(start - Math.round(time), end - start, node - last);
    time = end;
    last = node;
  }
  const notes = [...problems];
  const sinceStart = (us: number): string => `${Math.max(0, (us - startUs) / 1e6).toFixed(1)} s`;
  if (joined) notes.unshift(`began at ${sinceStart(atUs)}`);
  if (gone !== null) notes.push(`ended at ${sinceStart(Math.min(gone.atUs, endUs))}: ${gone.cause}`);
  if (runs.length === 0) notes.push('no samples');
  return {
    name,
    pool,
    note: notes.join('; '),
    nodes: encodeIntegers(nodeNumbers),
    runs: encodeIntegers(runNumbers),
  };
}

function exchangesOf(table: ExchangeTable | null, startUs: number): ExchangesData {
  if (table === null) return { oneOf: 1, labels: [], pools: [], threads: [], rows: '' };
  const numbers: number[] = [];
  let last = startUs;
  for (const row of table.rows) {
    const [label, pool, thread, submitted, assigned, begun, first, released, ended, recalls, refused] = row;
    const since = (us: number): number => (us === -1 ? 0 : Math.max(0, us - submitted) + 1);
    numbers.push(label, pool, thread, submitted - last);
    numbers.push(since(assigned), since(begun), since(first), since(released), since(ended));
    const stalls = row.slice(11);
    numbers.push(recalls, refused, stalls.length / 3);
    for (let i = 0; i < stalls.length; i += 3) {
      const [kind, from, to] = stalls.slice(i, i + 3) as [number, number, number];
      numbers.push(kind, from - submitted, to - from);
    }
    last = submitted;
  }
  const { oneOf, labels, pools, threads } = table;
  return { oneOf, labels, pools, threads, rows: encodeIntegers(numbers) };
}
