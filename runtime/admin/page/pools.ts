/**
 * Pools and threads, drawn as bars that show how full each one is. An element lives as long as what it shows, so a
 * focused element keeps the focus.
 */
import type { PoolStatus, ThreadStatus } from '../../status/status-types.ts';
import { bytes, duration, make, percent, say } from './text.ts';

export interface PoolActions {
  recyclePool(pool: string): void;
  recycleThread(thread: string): void;
  resize(pool: string, range: { readonly min: number; readonly max: number }): void;
}

/** A thread that has not returned to its event loop for this long is marked. */
const AWAY_MS = 1_000;

class Gauge {
  readonly root = make('div', 'gauge');
  readonly #meter = make('meter');
  readonly #value = make('span');

  /** @param high from here on the gauge is red, 0 to 1 */
  constructor(name: string, high = 0.85) {
    this.#meter.min = 0;
    this.#meter.max = 1;
    this.#meter.high = high;
    this.#meter.low = high * 0.7;
    this.#meter.optimum = 0;
    this.#meter.setAttribute('aria-label', name);
    this.root.append(make('span', '', name), this.#meter, this.#value);
  }

  show(part: number, text: string): void {
    const value = Math.min(1, Math.max(0, part));
    if (this.#meter.value !== value) this.#meter.value = value;
    say(this.#value, text);
  }
}

class ThreadTile {
  readonly root = make('li', 'thread');
  readonly #state = make('span', 'state');
  readonly #busy = new Gauge('busy');
  readonly #ring = new Gauge('rings', 0.75);
  readonly #facts = make('p', 'facts');
  readonly #note = make('p', 'note');
  readonly #recycle = make('button', '', 'Recycle');

  constructor(name: string, actions: PoolActions) {
    const head = make('div', 'head');
    this.#recycle.type = 'button';
    this.#recycle.setAttribute('aria-label', `Recycle thread ${name}`);
    this.#recycle.addEventListener('click', () => actions.recycleThread(name));
    head.append(make('b', '', name), this.#state, this.#recycle);
    this.root.append(head, this.#busy.root, this.#ring.root, this.#facts, this.#note);
  }

  show(thread: ThreadStatus): void {
    const { state, running, waiting, loop, heapBytes, requestRing, responseRing } = thread;
    say(this.#state, state);
    this.#state.dataset.state = state;
    this.#recycle.disabled = state !== 'ready';
    this.#busy.show(loop.utilization, percent(loop.utilization));
    const ring = Math.max(
      requestRing.usedBytes / requestRing.bytes,
      responseRing.usedBytes / responseRing.bytes,
    );
    this.#ring.show(ring, percent(ring));
    say(this.#facts, `${running} running, ${waiting} waiting, heap ${bytes(heapBytes)}`);
    say(this.#note, noteOf(thread));
    this.root.toggleAttribute('data-away', isAway(thread));
  }
}

function isAway({ isAsleep, turnAgeMs, state }: ThreadStatus): boolean {
  return state === 'ready' && !isAsleep && turnAgeMs >= AWAY_MS;
}

function noteOf(thread: ThreadStatus): string {
  const notes: string[] = [];
  if (isAway(thread)) notes.push(`computes for ${duration(thread.turnAgeMs)}`);
  if (thread.creditStalled > 0) notes.push(`${thread.creditStalled} wait for clients to read`);
  return notes.join('; ');
}

class PoolCard {
  readonly root = make('article', 'pool');
  readonly #state = make('span', 'state');
  readonly #queue = new Gauge('queue');
  readonly #busy = new Gauge('busy');
  readonly #facts = make('p', 'facts');
  readonly #note = make('p', 'note');
  readonly #list = make('ul', 'threads');
  readonly #tiles = new Map<string, ThreadTile>();
  readonly #actions: PoolActions;
  #range = { min: 1, max: 1 };

  constructor(name: string, actions: PoolActions) {
    this.#actions = actions;
    const head = make('div', 'head');
    const recycle = make('button', '', 'Recycle');
    recycle.type = 'button';
    recycle.setAttribute('aria-label', `Recycle pool ${name}`);
    recycle.addEventListener('click', () => actions.recyclePool(name));
    const resize = make('button', '', 'Resize');
    resize.type = 'button';
    resize.setAttribute('aria-label', `Resize pool ${name}`);
    resize.addEventListener('click', () => actions.resize(name, this.#range));
    const buttons = make('span', 'actions');
    buttons.append(recycle, resize);
    head.append(make('h3', '', name), this.#state, buttons);
    this.root.append(head, this.#facts, this.#queue.root, this.#busy.root, this.#note, this.#list);
    this.root.dataset.pool = name;
  }

  show(pool: PoolStatus): void {
    const { state, queued, maxQueued, exchanges, threads, minThreads, maxThreads } = pool;
    this.#range = { min: minThreads, max: maxThreads };
    say(this.#state, state);
    this.#state.dataset.state = state;
    this.#queue.show(maxQueued === 0 ? 0 : queued / maxQueued, `${queued} of ${maxQueued}`);
    const busy = threads.reduce((sum, { loop }) => sum + loop.utilization, 0) / Math.max(1, threads.length);
    this.#busy.show(busy, percent(busy));
    const range = minThreads === maxThreads ? `${minThreads}` : `${minThreads} to ${maxThreads}`;
    say(
      this.#facts,
      `${exchanges.open} open, ${threads.length} threads (${range}), ${pool.diedThreads} died, ${pool.recycledThreads} recycled`,
    );
    say(this.#note, poolNote(pool));
    this.#showThreads(threads);
  }

  #showThreads(threads: readonly ThreadStatus[]): void {
    const names = new Set(threads.map(({ name }) => name));
    for (const [name, tile] of this.#tiles) {
      if (names.has(name)) continue;
      tile.root.remove();
      this.#tiles.delete(name);
    }
    for (const thread of threads) {
      let tile = this.#tiles.get(thread.name);
      if (tile === undefined) {
        tile = new ThreadTile(thread.name, this.#actions);
        this.#tiles.set(thread.name, tile);
        this.#list.append(tile.root);
      }
      tile.show(thread);
    }
  }
}

function poolNote({ stale, nextStartInMs, lastDeath }: PoolStatus): string {
  const notes: string[] = [];
  if (stale !== null) notes.push(`runs old code: ${stale.why}`);
  if (nextStartInMs !== null) notes.push(`next thread in ${duration(nextStartInMs)}`);
  if (lastDeath !== null)
    notes.push(
      `${lastDeath.thread} died ${duration(lastDeath.agoMs)} ago: ${lastDeath.name}: ${lastDeath.message}`,
    );
  return notes.join('; ').slice(0, 400);
}

export class Pools {
  readonly #container: HTMLElement;
  readonly #actions: PoolActions;
  readonly #cards = new Map<string, PoolCard>();

  constructor(container: HTMLElement, actions: PoolActions) {
    this.#container = container;
    this.#actions = actions;
  }

  show(pools: readonly PoolStatus[]): void {
    const names = new Set(pools.map(({ name }) => name));
    for (const [name, card] of this.#cards) {
      if (names.has(name)) continue;
      card.root.remove();
      this.#cards.delete(name);
    }
    for (const pool of pools) {
      let card = this.#cards.get(pool.name);
      if (card === undefined) {
        card = new PoolCard(pool.name, this.#actions);
        this.#cards.set(pool.name, card);
        this.#container.append(card.root);
      }
      card.show(pool);
    }
  }
}
