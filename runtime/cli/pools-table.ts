/** Pools and threads as a table: `sluice ps` prints it once and `sluice top` every second. */
import { formatDuration } from '../config/duration.ts';
import type { PoolStatus, ServerStatus, ThreadStatus, WaitStatus } from '../status/status-types.ts';
import { printable } from './printable.ts';

/** With an earlier status the figures cover the time since then, with rates; otherwise the time since the server started. */
export function poolsTable(now: ServerStatus, before: ServerStatus | null = null): string {
  const seconds = before === null ? 0 : (now.uptimeMs - before.uptimeMs) / 1000;
  const earlier = new Map(before?.pools.map((pool) => [pool.name, pool]));
  const rows = now.pools.flatMap((pool) => [
    poolRow(pool, earlier.get(pool.name), seconds),
    ...pool.threads.map(threadRow),
  ]);
  return `${headOf(now)}\n\n${table([HEAD, ...rows])}\n`;
}

const HEAD = [
  '',
  'state',
  'open',
  'queued',
  'busy',
  'heap',
  'per s',
  'p50 wait',
  'p99 wait',
  'p50 run',
  'p99 run',
  'note',
];

function headOf({ pid, version, state, uptimeMs, connections, reactor, pools }: ServerStatus): string {
  const open = pools.reduce((sum, { exchanges }) => sum + exchanges.open, 0);
  return [
    `Sluice ${version}, process ${pid}, ${state} for ${duration(uptimeMs)}`,
    `${connections.open} of ${connections.max} connections, ${open} ${open === 1 ? 'exchange' : 'exchanges'} open, reactor ${percent(reactor.utilization)} busy`,
  ].join('\n');
}

function poolRow(pool: PoolStatus, before: PoolStatus | undefined, seconds: number): string[] {
  const { total, exchanges, threads } = pool;
  const ended = before === undefined ? 0 : total.ended - before.total.ended;
  const busy = threads.reduce((sum, { loop }) => sum + loop.utilization, 0) / Math.max(1, threads.length);
  return [
    pool.name,
    pool.state,
    String(exchanges.open),
    `${pool.queued}/${pool.maxQueued}`,
    percent(busy),
    bytes(threads.reduce((sum, { heapBytes }) => sum + heapBytes, 0)),
    seconds > 0 ? (ended / seconds).toFixed(ended / seconds < 10 ? 1 : 0) : '',
    ...quantiles(total.queueWait, before?.total.queueWait),
    ...quantiles(total.service, before?.total.service),
    poolNote(pool),
  ];
}

/** Quantiles of what was added since `before`; empty if nothing was. */
function quantiles(now: WaitStatus, before: WaitStatus | undefined): [p50: string, p99: string] {
  const earlier = new Map(before?.buckets);
  const since = (now.buckets ?? []).map(
    ([mostMs, count]) => [mostMs, count - (earlier.get(mostMs) ?? 0)] as const,
  );
  const count = since.reduce((sum, [, times]) => sum + times, 0);
  if (count === 0) return ['', ''];
  const quantile = (part: number): string => {
    let left = Math.ceil(count * part);
    const bucket = since.find(([, times]) => {
      left -= times;
      return left <= 0;
    });
    return milliseconds(bucket?.[0] ?? 0);
  };
  return [quantile(0.5), quantile(0.99)];
}

function poolNote({ stale, diedThreads, hungThreads, lastDeath, nextStartInMs }: PoolStatus): string {
  const notes: string[] = [];
  if (stale !== null) notes.push(`runs old code: ${firstLine(stale.why)}`);
  if (nextStartInMs !== null) notes.push(`next thread in ${duration(nextStartInMs)}`);
  if (diedThreads > 0)
    notes.push(`${diedThreads} died${hungThreads > 0 ? `, ${hungThreads} of them hung` : ''}`);
  if (lastDeath !== null) notes.push(`last: ${firstLine(`${lastDeath.name}: ${lastDeath.message}`)}`);
  return notes.join('; ');
}

function threadRow(thread: ThreadStatus): string[] {
  const { running, waiting, longestRunningMs, creditStalled, turnAgeMs, isAsleep } = thread;
  const notes: string[] = [];
  if (longestRunningMs !== null && longestRunningMs >= 1_000)
    notes.push(`oldest ${duration(longestRunningMs)}`);
  if (creditStalled > 0) notes.push(`${creditStalled} wait for their peers to read`);
  if (!isAsleep && turnAgeMs >= 1_000) notes.push(`computes for ${duration(turnAgeMs)}`);
  return [
    `  ${thread.name}`,
    thread.state,
    String(running),
    String(waiting),
    percent(thread.loop.utilization),
    bytes(thread.heapBytes),
    ...Array<string>(5).fill(''),
    notes.join('; '),
  ];
}

/** Aligns the first two columns and the last to the left, all others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] as number;
          if (column === HEAD.length - 1) return cell;
          return column < 2 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function percent(part: number): string {
  return `${Math.round(part * 100)}%`;
}

function bytes(count: number): string {
  return `${(count / 1_048_576).toFixed(0)}M`;
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)}ms` : ms < 10_000 ? `${ms.toFixed(0)}ms` : duration(ms);
}

/** In seconds below two minutes, in minutes below two hours, then in hours. */
function duration(ms: number): string {
  const unitMs = ms < 120_000 ? 1_000 : ms < 7_200_000 ? 60_000 : 3_600_000;
  return formatDuration(Math.round(ms / unitMs) * unitMs);
}

/** The first line of an application's text. It can neither move the cursor nor look like a row of the table. */
function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  const shown = printable(line);
  return shown.length > 80 ? `${shown.slice(0, 79)}…` : shown;
}
