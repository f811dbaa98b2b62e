/** Recent events of threads and pools as text: `sluice events`. */
import type { PoolEvent } from '../status/status-types.ts';
import { printable } from './printable.ts';

export function eventsTable(events: readonly PoolEvent[]): string {
  if (events.length === 0) return 'no events\n';
  const names = events.map(({ pool, thread }) => thread ?? pool);
  const width = Math.max(...names.map((name) => name.length));
  return events
    .map(({ at, what, why }, index) => {
      const name = (names[index] as string).padEnd(width);
      return `${at}  ${name}  ${what}${why === undefined ? '' : `: ${printable(why)}`}\n`;
    })
    .join('');
}
