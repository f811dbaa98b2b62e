/** Conversion of V8's profiles into the formats of viewers. */
import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import { clinicFlameFiles, clinicHeapProfile } from '../../runtime/profiling/clinic-data.ts';
import { type CpuProfile, mergeParts, toCpuProfile } from '../../runtime/profiling/cpu-profile.ts';
import { encodeIntegers } from '../../runtime/profiling/encode.ts';
import { encodeFrame, FrameReader } from '../../runtime/profiling/frames.ts';
import { pageData, pageOf } from '../../runtime/profiling/merged-page.ts';
import type { Frame } from '../../runtime/profiling/messages.ts';
import { ownerOf } from '../../runtime/profiling/owners.ts';
import { Owner } from '../../runtime/profiling/page/data.ts';
import { decodeIntegers } from '../../runtime/profiling/page/decode.ts';
import { Phase, PhaseCount, pack, readExchanges } from '../../runtime/profiling/page/exchanges.ts';
import { readLane, timesOf } from '../../runtime/profiling/page/model.ts';
import { ExchangeRecorder } from '../../runtime/profiling/span-recorder.ts';
import { wholeOnly } from '../runner/whole-only.ts';
import { generateProfile } from './generated.ts';

const require = createRequire(import.meta.url);

function frame(functionName: string, url = 'file:///srv/app.ts', lineNumber = 0) {
  return { functionName, scriptId: '1', url, lineNumber, columnNumber: 0 };
}

/** `main` calls `a` and `b`; ids differ between parts, as V8's do. */
function part(firstId: number, startTime: number, samples: readonly ('a' | 'b' | 'idle')[]): CpuProfile {
  const ids = { main: firstId + 1, a: firstId + 2, b: firstId + 3, idle: firstId + 4 };
  const nodes = [
    { id: firstId, callFrame: frame('(root)', ''), children: [ids.main, ids.idle] },
    { id: ids.main, callFrame: frame('main'), children: [ids.b, ids.a] },
    { id: ids.a, callFrame: frame('a') },
    { id: ids.b, callFrame: frame('b') },
    { id: ids.idle, callFrame: frame('(idle)', '') },
  ];
  return {
    nodes,
    startTime,
    endTime: startTime + samples.length * 10,
    samples: samples.map((name) => ids[name]),
    timeDeltas: samples.map((_, index) => (index === 0 ? 0 : 10)),
  };
}

test('the integers of a page survive encoding', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 50), max: 2 ** 50 })), (values) => {
      t.deepEqual([...decodeIntegers(encodeIntegers(values))], values);
    }),
  );
  t.pass();
});

test('frames of the socket are reassembled, however their bytes are split', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 50 }),
      (all, size) => {
        const stream = Buffer.concat(all.flatMap((bytes) => encodeFrame({ type: 'snapshot' }, bytes)));
        const read: [Frame, Buffer][] = [];
        const reader = new FrameReader((head, bytes) => read.push([head, Buffer.from(bytes)]));
        for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
        t.deepEqual(
          read,
          all.map((bytes) => [{ type: 'snapshot' }, Buffer.from(bytes)]),
        );
        t.true(reader.isWhole);
      },
    ),
  );
});

test('parts of a profile become one tree, idle time is left out, and the time between parts belongs to no function', (t) => {
  const tree = mergeParts([part(1, 100, ['a', 'a', 'idle', 'b']), part(70, 150, ['b', 'a'])]);
  const names = tree.nodes.map(({ callFrame }) => callFrame.functionName);
  t.deepEqual(names.sort(), ['(root)', 'a', 'b', 'main']);
  const name = (node: number) => (node === 0 ? 'idle' : tree.nodes[node]?.callFrame.functionName);
  t.deepEqual(
    tree.runs.map(({ startUs, endUs, node }) => [startUs, endUs, name(node)]),
    [
      [100, 120, 'a'],
      [120, 130, 'idle'],
      [130, 140, 'b'],
      [150, 160, 'b'],
      [160, 170, 'a'],
    ],
  );
  const profile = toCpuProfile(tree);
  const total = profile.timeDeltas.reduce((sum, us) => sum + us, 0);
  t.is(total, 70);
  t.true(profile.nodes.some(({ callFrame }) => callFrame.functionName === '(not sampled)'));
  const ids = new Set(profile.nodes.map(({ id }) => id));
  t.true(profile.samples.every((id) => ids.has(id)));
});

test('time that V8 reports as running backwards counts as standing still', (t) => {
  const odd = { ...part(1, 100, ['a', 'b', 'a']), timeDeltas: [5, -3, 10] };
  for (const { startUs, endUs } of mergeParts([odd]).runs) t.true(endUs > startUs);
  t.true(toCpuProfile(mergeParts([odd])).timeDeltas.every((us) => us >= 0));
});

wholeOnly('a lane of the page has what the thread ran, by function, in any stretch of time', (t) => {
  const collected = generateProfile({ threads: 2, seconds: 1, exchanges: 0 });
  const data = pageData(collected);
  const [lane] = data.lanes.map(readLane);
  t.truthy(lane);
  if (lane === undefined) return;
  for (const { starts, ends } of lane.levels) {
    for (let i = 0; i < starts.length; i++) {
      t.true((starts[i] as number) < (ends[i] as number));
      if (i > 0) t.true((ends[i - 1] as number) <= (starts[i] as number), 'none overlaps another');
    }
  }
  const whole = timesOf(lane, data.frames.length, 0, data.durationUs);
  const half = timesOf(lane, data.frames.length, 0, data.durationUs / 2);
  const rest = timesOf(lane, data.frames.length, data.durationUs / 2, data.durationUs);
  t.is(half.busyUs + rest.busyUs, whole.busyUs);
  t.is(
    whole.self.reduce((sum, us) => sum + us, 0),
    whole.busyUs,
  );
  t.true(whole.total.every((us, index) => us >= (whole.self[index] as number)));
  const thread = collected.threads[1];
  const runs = collected.treeOf(thread as NonNullable<typeof thread>).runs.filter(({ node }) => node !== 0);
  t.is(
    runs.reduce((sum, { startUs, endUs }) => sum + endUs - startUs, 0),
    whole.busyUs,
  );
});

test('the number of exchanges in a phase is averaged over time', (t) => {
  const rows = encodeIntegers([
    // Submitted at 0, assigned at 100, begun at 150, first byte at 180, released at 200, ended at 230, with
    // one stall of 20 from 160.
    ...[0, 0, 0, 0, 101, 151, 181, 201, 231, 0, 0, 1, 0, 160, 20],
    // Submitted at 50, and still waiting.
    ...[0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
  const data = { oneOf: 1, labels: ['GET /'], pools: ['render'], threads: ['render-1'], rows };
  const exchanges = readExchanges(data, 300);
  const average = (phase: number, start: number, end: number) =>
    new PhaseCount(exchanges, phase).average(start, end);
  t.is(average(Phase.Queue, 0, 50), 1);
  t.is(average(Phase.Queue, 50, 100), 2);
  t.is(average(Phase.Queue, 0, 300), (100 + 250) / 300);
  t.is(average(Phase.Claim, 100, 150), 1);
  t.is(average(Phase.Running, 150, 250), 0.5);
  t.is(average(Phase.Stall, 160, 180), 1);
  t.is(average(Phase.Sending, 200, 230), 1);
  t.is(pack(exchanges, 4).length, 2, 'they overlap, so each has a row');
  t.is(pack(exchanges, 1).length, 1, 'and what has none is left out');
});

test('a profile of any length follows a bounded number of exchanges, spread over its whole length', (t) => {
  let nowMs = 0;
  const recorder = new ExchangeRecorder(100, { nowMs: () => nowMs, toMonotonicUs: 0, wireUs: () => 0 });
  const spans = recorder.forPool('render');
  for (; nowMs < 10_000; nowMs++) spans.begin(`GET /${'x'.repeat(10_000)}`);
  const { oneOf, rows, labels } = recorder.table();
  t.true(rows.length <= 100 && rows.length > 40, `${rows.length} are kept`);
  t.true(oneOf >= 100 && oneOf <= 256, `one of ${oneOf}`);
  t.true((labels[0] as string).length <= 200, 'a peer’s long path is cut');
  const times = rows.map(([, , , submittedUs]) => submittedUs);
  const gaps = times.slice(1).map((us, index) => us - (times[index] as number));
  t.true(Math.max(...gaps) <= 2 * oneOf * 1_000, 'no stretch of the profile is without');
  t.true((times.at(-1) as number) > 9_000_000);
});

test('the location of a frame tells whose code it is', (t) => {
  const own = new URL('../../workers/thread/host.ts', import.meta.url).href;
  t.is(ownerOf(frame('a')), Owner.Application);
  t.is(ownerOf(frame('a', 'file:///srv/node_modules/express/index.js')), Owner.Dependency);
  t.is(ownerOf(frame('a', own)), Owner.Sluice);
  t.is(ownerOf(frame('a', 'node:net')), Owner.Node);
  t.is(ownerOf(frame('sqrt', '')), Owner.Native);
  t.is(ownerOf(frame('(garbage collector)', '')), Owner.Collector);
});

wholeOnly('what peers and applications name is only text in the page', (t) => {
  const collected = generateProfile({ threads: 1, seconds: 1, exchanges: 0 });
  const data = pageData(collected);
  const html = pageOf({ ...data, notes: ['</script><script>alert(1)</script><!--'] });
  t.is(html.split('</script>').length - 1, 2, 'the data and the page’s own');
  t.false(html.includes('<!--'));
});

interface FrameNode {
  readonly functionName: string | null;
  /** The text that the page shows once it is formatted. */
  readonly fileName: string | null;
  categorise(systemInfo: object, application: string): void;
  format(systemInfo: object): void;
  readonly category: string;
}

wholeOnly('clinic’s own reader takes every frame, and an application’s for the application’s', (t) => {
  const FrameNodeClass = require('@clinic/flame/analysis/frame-node.js') as new (data: object) => FrameNode;
  const systemInfo = { pathSeparator: '/', mainDirectory: '/srv', nodeVersions: process.versions };
  const read = (name: string) => {
    const node = new FrameNodeClass({ name, value: 1, top: 1 });
    node.categorise(systemInfo, 'srv');
    node.format(systemInfo);
    return node;
  };
  const framesOf = (functionName: string, url: string): string[] => {
    const nodes = [
      { id: 1, callFrame: frame('(root)', ''), children: [2] },
      { id: 2, callFrame: frame(functionName, url, 4) },
    ];
    const profile = { nodes, startTime: 0, endTime: 10_000, samples: [2], timeDeltas: [0] };
    const tree = mergeParts([profile]);
    const files = clinicFlameFiles('x', [{ name: 'render-1', tree }], '/srv');
    const samples = files?.find(([name]) => name.endsWith('-samples'))?.[1] ?? '[]';
    const [stack] = JSON.parse(samples) as { name: string; type: string }[][];
    return (stack ?? []).map(({ name, type }) => (type === 'JS' ? name : `${name} [${type}]`));
  };
  for (const [url, shown] of [
    ['file:///srv/app.ts', './app.ts'],
    ['file:///srv/a%20b/app.mts', './a_b/app.mts'],
    ['file:///srv/app.cjs', './app.cjs'],
    ['/srv/app.js', './app.js'],
    ['/elsewhere/app.tsx', '../elsewhere/app.tsx'],
  ] as const) {
    const [thread = '', own = ''] = framesOf('renderPage', url);
    t.is(read(thread).category, 'app');
    t.is(read(thread).functionName, 'render-1');
    t.is(read(own).category, 'app', own);
    t.is(read(own).functionName, 'renderPage');
    t.is(read(own).fileName, shown);
  }
  t.is(read(framesOf('a', 'file:///srv/node_modules/x/index.ts')[1] ?? '').category, 'deps');
  t.is(read(framesOf('a', 'node:internal/timers')[1] ?? '').category, 'core');
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', 'file:///srv/x.ts', 'wasm://wasm/1', 'evalmachine.<anonymous>'),
      (name, url) => {
        for (const text of framesOf(name, url)) t.notThrows(() => read(text), text);
      },
    ),
  );
});

test('clinic’s ticks match each function’s share, and every thread is present', (t) => {
  const busy = mergeParts([part(1, 0, ['a', 'a', 'a', 'b'])]);
  const idle = mergeParts([part(1, 0, ['idle', 'idle'])]);
  const threads = [
    { name: 'render-1', tree: busy },
    { name: 'render-2', tree: idle },
  ];
  const files = clinicFlameFiles('x', threads, '/srv') ?? [];
  t.deepEqual(
    files.map(([name]) => name),
    ['x.clinic-flame-systeminfo', 'x.clinic-flame-samples', 'x.clinic-flame-inlinedfunctions'],
  );
  const ticks = JSON.parse(files[1]?.[1] ?? '') as { name: string }[][];
  const count = (name: string) => ticks.filter((stack) => stack.at(-1)?.name.startsWith(name)).length;
  t.true(Math.abs(count('a ') / count('b ') - 3) < 0.01);
  t.is(count('render-2 '), 1);
  t.is(clinicFlameFiles('x', [{ name: 'render-2', tree: idle }], '/srv'), null, 'nothing ran');
});

test('heap profiles of several threads become one, in which each node has a unique number', (t) => {
  const head = (size: number) => ({
    callFrame: frame('(root)', ''),
    selfSize: 0,
    id: 1,
    children: [{ callFrame: frame('keep'), selfSize: size, id: 2, children: [] }],
  });
  const json = (size: number) =>
    JSON.stringify({ head: head(size), samples: [{ size, nodeId: 2, ordinal: 1 }] });
  const merged = JSON.parse(
    clinicHeapProfile(
      [
        { name: 'render-1', json: json(10) },
        { name: 'render-2', json: json(20) },
      ],
      '/srv',
    ),
  );
  const ids: number[] = [];
  const walk = (node: { id: number; children: { id: number; children: never[] }[] }): void => {
    ids.push(node.id);
    for (const child of node.children) walk(child);
  };
  walk(merged.head);
  t.is(new Set(ids).size, ids.length);
  t.deepEqual(
    merged.samples.map(({ size }: { size: number }) => size),
    [10, 20],
  );
  t.true(merged.samples.every(({ nodeId }: { nodeId: number }) => ids.includes(nodeId)));
});
