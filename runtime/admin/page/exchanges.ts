/**
 * Exchanges in flight, oldest first, and recent events of threads. Rows are reused, so a page that stays open
 * creates no garbage.
 */

import type { PoolEvent } from '../../status/status-types.ts';
import type { ExchangesView, ExchangeView } from '../exchange-types.ts';
import { duration, make, say } from './text.ts';

/** Older ones are what somebody looks for. */
const OLD_MS = 5_000;
const CELLS = 5;
const MOST_EVENTS = 30;

export function showExchanges(title: HTMLElement, body: HTMLElement, view: ExchangesView): void {
  const { exchanges, total } = view;
  say(
    title,
    `Exchanges in flight: ${total}${exchanges.length < total ? `, the oldest ${exchanges.length}` : ''}`,
  );
  while (body.children.length > exchanges.length) body.lastElementChild?.remove();
  while (body.children.length < exchanges.length) body.append(makeRow());
  for (const [index, exchange] of exchanges.entries())
    showExchange(body.children[index] as HTMLTableRowElement, exchange);
}

function makeRow(): HTMLTableRowElement {
  const row = make('tr');
  for (let cell = 0; cell < CELLS; cell++) row.append(make('td', cell === 0 ? 'number' : ''));
  (row.cells[CELLS - 1] as HTMLElement).append(make('span', 'who'), make('span', 'why'));
  return row;
}

function showExchange(row: HTMLTableRowElement, exchange: ExchangeView): void {
  const { ageMs, method, path, state, thread, pool, waitsFor } = exchange;
  const [age, request, how, where, waits] = [...row.cells] as HTMLElement[];
  say(age as HTMLElement, duration(ageMs));
  say(request as HTMLElement, `${method} ${path}`);
  say(how as HTMLElement, state);
  say(where as HTMLElement, thread ?? (pool === null ? '–' : `pool ${pool}`));
  const [who, why] = [...(waits as HTMLElement).children] as HTMLElement[];
  say(who as HTMLElement, `${waitsFor.who} ${waitsFor.name}`);
  say(why as HTMLElement, waitsFor.why);
  row.toggleAttribute('data-old', ageMs >= OLD_MS);
}

/** The newest first. */
export function showEvents(list: HTMLElement, events: readonly PoolEvent[]): void {
  const shown = events.slice(-MOST_EVENTS).reverse();
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  while (list.children.length < shown.length) {
    const item = make('li');
    item.append(make('time'), make('b'), make('span'));
    list.append(item);
  }
  for (const [index, { at, pool, thread, what, why }] of shown.entries()) {
    const item = list.children[index] as HTMLElement;
    const [time, name, text] = [...item.children] as [HTMLElement, HTMLElement, HTMLElement];
    item.dataset.what = what;
    say(time, new Date(at).toLocaleTimeString());
    say(name, `${thread ?? `pool ${pool}`} ${what}`);
    say(text, why === undefined ? '' : `: ${why}`);
  }
}
