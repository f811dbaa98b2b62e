/** Exchanges in flight as text: `sluice exchanges`. */
import type { ExchangesView, ExchangeView } from '../admin/exchange-types.ts';
import { formatDuration } from '../config/duration.ts';
import { printable } from './printable.ts';

export function exchangesTable({ total, isCut, exchanges }: ExchangesView): string {
  const shown = exchanges.length === total ? '' : `, the oldest ${exchanges.length} are shown`;
  const head = `${total} in flight${shown}${isCut ? '; there are more, which were not examined' : ''}\n`;
  return head + exchanges.map(describe).join('');
}

function describe(exchange: ExchangeView): string {
  const { id, ageMs, method, path, state, thread, pool, waitsFor, request, response } = exchange;
  const age = formatDuration(ageMs < 10_000 ? Math.round(ageMs) : Math.round(ageMs / 1_000) * 1_000);
  const where = thread ?? (pool === null ? 'no pool' : `pool ${pool}`);
  return [
    `#${id}  ${age}  ${printable(`${method} ${path}`)}  ${state}  ${where}`,
    `    waits for ${waitsFor.who} ${printable(waitsFor.name)}: ${printable(waitsFor.why)}`,
    `    request: ${bytes(request.receivedBytes)} received, ${bytes(request.waitingBytes)} waiting, ${bytes(request.unreadBytes)} with the thread; response: ${bytes(response.bytes)} written, ${bytes(response.sentBytes)} sent, ${bytes(response.waitingBytes)} waiting`,
    '',
  ].join('\n');
}

function bytes(count: number): string {
  if (count < 10_240) return `${count} B`;
  return count < 10_485_760 ? `${Math.round(count / 1_024)} KiB` : `${Math.round(count / 1_048_576)} MiB`;
}
