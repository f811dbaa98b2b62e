/** The page: lanes on one time axis, and the user's view of them. */
import { Owner, type PageData } from './data.ts';
import { type ExchangeModel, PhaseCount, pack, phases, readExchanges } from './exchanges.ts';
import { drawFlame, type FrameLook, flameAt } from './flame.ts';
import { type LaneModel, readLane, timesOf } from './model.ts';
import { frameColours, palettes, prepare, shadeOf } from './painting.ts';
import { formatUs, ticksOf, View } from './view.ts';
import { drawBars, drawCounts, exchangeAt } from './waits.ts';

const data = JSON.parse(element('data').textContent) as PageData;
const owners = ['application', 'dependencies', 'Sluice', 'Node', 'native', 'garbage collector'];
/** Most rows of exchanges above the lane of a pool's counts and above each thread. */
const POOL_ROWS = 8;
const THREAD_ROWS = 10;
const TABLE_ROWS = 60;
const NOTHING_RAN_SHARE = 0.005;

const lanes = data.lanes.map(readLane);
const exchanges = readExchanges(data.exchanges, data.durationUs);
const view = new View(data.durationUs, requestDraw);
const places = data.frames.map(([, url, line, column]) => placeOf(data.strings[url], line, column));
const look: FrameLook = {
  labels: data.frames.map(([name]) => data.strings[name]),
  isOwn: data.frames.map(([, , , , owner]) => owner === Owner.Application),
  colours: [],
  matches: null,
};

let theme: 'light' | 'dark' = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
/** The lane that the table describes; -1: all. */
let chosen = -1;
const painters: Painter[] = [];

interface Painter {
  readonly canvas: HTMLCanvasElement;
  isVisible: boolean;
  paint(): void;
}

function element<Kind extends HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text = '',
  className = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

function placeOf(url: string, line: number, column: number): string {
  if (url === '') return '';
  const path = url.startsWith('file://') ? decodeURIComponent(url.slice('file://'.length)) : url;
  return line === 0 ? path : `${path}:${line}${column === 0 ? '' : `:${column}`}`;
}

// ---- drawing

let isRequested = false;

function requestDraw(): void {
  if (isRequested) return;
  isRequested = true;
  requestAnimationFrame(() => {
    isRequested = false;
    draw();
  });
}

function draw(): void {
  view.width = Math.max(1, element('lanes').clientWidth);
  drawRuler();
  for (const painter of painters) if (painter.isVisible) painter.paint();
  requestTable();
}

function drawRuler(): void {
  const context = prepare(element<HTMLCanvasElement>('ruler'), view.width, 20);
  const palette = palettes[theme];
  context.fillStyle = palette.muted;
  context.strokeStyle = palette.line;
  for (const us of ticksOf(view).ticks) {
    const x = Math.round(view.xOf(us)) + 0.5;
    context.beginPath();
    context.moveTo(x, 12);
    context.lineTo(x, 20);
    context.stroke();
    context.fillText(formatUs(us), x + 3, 9);
  }
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const painter = painters.find(({ canvas }) => canvas === target);
      if (painter === undefined) continue;
      painter.isVisible = isIntersecting;
      if (isIntersecting) requestDraw();
    }
  },
  { rootMargin: '200px' },
);

function addPainter(
  section: HTMLElement,
  label: string,
  paint: (canvas: HTMLCanvasElement) => void,
): HTMLCanvasElement {
  const canvas = make('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  section.append(canvas);
  painters.push({ canvas, isVisible: false, paint: () => paint(canvas) });
  observer.observe(canvas);
  listenOn(canvas);
  return canvas;
}

// ---- sections

function addSection(title: string, facts: readonly string[], note: string): HTMLElement {
  const section = make('section');
  section.setAttribute('aria-label', title);
  const head = make('div', '', 'head');
  const heading = make('h2');
  const fold = make('button', title);
  fold.setAttribute('aria-expanded', 'true');
  heading.append(fold);
  head.append(heading);
  for (const fact of facts) head.append(make('span', fact, 'fact'));
  if (note !== '') head.append(make('span', note, 'note'));
  fold.addEventListener('click', () => {
    const isFolded = section.toggleAttribute('data-folded');
    fold.setAttribute('aria-expanded', String(!isFolded));
    requestDraw();
  });
  section.append(head);
  element('lanes').append(section);
  return section;
}

function addPool(pool: string): void {
  const ofPool = exchanges.filter((exchange) => exchange.pool === pool);
  const { oneOf } = data.exchanges;
  const count = oneOf === 1 ? `${ofPool.length} exchanges` : `${ofPool.length} exchanges, one of ${oneOf}`;
  const section = addSection(`pool ${pool}`, [count, ...averages(ofPool)], '');
  const counts = phases.map((_name, phase) => new PhaseCount(ofPool, phase));
  addPainter(section, `exchanges of pool ${pool} by phase, over time`, (canvas) =>
    drawCounts(canvas, counts, oneOf, view, palettes[theme]),
  );
  // Exchanges that no thread was given appear in no thread's lane.
  addBars(
    section,
    `exchanges of pool ${pool} that no thread was given`,
    ofPool.filter(({ thread }) => thread === ''),
    POOL_ROWS,
  );
}

function averages(of: readonly ExchangeModel[]): string[] {
  return phases.flatMap((name, phase) => {
    let us = 0;
    for (const { spans } of of) for (const [is, start, end] of spans) if (is === phase) us += end - start;
    return us === 0 ? [] : [`${name} ${formatUs(us / of.length)}`];
  });
}

function addBars(section: HTMLElement, label: string, of: readonly ExchangeModel[], mostRows: number): void {
  const rows = pack(of, mostRows);
  if (rows.length === 0) return;
  const canvas = addPainter(section, label, () => drawBars(canvas, rows, view, palettes[theme]));
  showTips(canvas, (us, y) => {
    const exchange = exchangeAt(rows, us, y);
    return exchange === null ? null : describeExchange(exchange);
  });
}

function describeExchange({
  label,
  thread,
  spans,
  start,
  firstByte,
  recalls,
  isRefused,
}: ExchangeModel): string {
  const lines = spans.map(([phase, from, to]) => `${phases[phase]}: ${formatUs(to - from)}`);
  if (firstByte !== null) lines.push(`first byte after ${formatUs(firstByte - start)}`);
  if (recalls > 0) lines.push(`taken back from a busy thread ${recalls} times`);
  if (isRefused) lines.push('refused');
  return [label, thread, ...lines].join('\n');
}

/** Adds a pool with its threads; the reactor's lane belongs to no pool. */
function addAll(pool: string): void {
  if (data.exchanges.pools.includes(pool)) addPool(pool);
  for (const [number, lane] of lanes.entries()) if (lane.pool === pool) addThread(lane, number);
}

function addThread(lane: LaneModel, number: number): void {
  const { busyUs } = timesOf(lane, data.frames.length, 0, data.durationUs);
  const share = `${((100 * busyUs) / data.durationUs).toFixed(1)} % of the time on the CPU`;
  const facts = [busyUs < NOTHING_RAN_SHARE * data.durationUs ? `${share}: nothing ran` : share];
  const section = addSection(lane.name, facts, lane.note);
  section.addEventListener('pointerdown', () => choose(number));
  addBars(
    section,
    `exchanges of ${lane.name}`,
    exchanges.filter(({ thread }) => thread === lane.name),
    THREAD_ROWS,
  );
  const canvas = addPainter(section, `stacks of ${lane.name} over time`, () =>
    drawFlame(canvas, lane, view, look, palettes[theme]),
  );
  showTips(canvas, (us, y) => {
    const hit = flameAt(lane, us, y);
    if (hit === null) return null;
    const frame = lane.frames[hit.node];
    const owner = owners[data.frames[frame][4]];
    return `${look.labels[frame]}\n${formatUs(hit.end - hit.start)}, ${owner}\n${places[frame]}`;
  });
  canvas.addEventListener('dblclick', (event) => {
    const hit = flameAt(lane, view.usAt(event.offsetX), event.offsetY);
    if (hit !== null) view.show(hit.start, hit.end);
  });
}

// ---- pointer

function listenOn(canvas: HTMLCanvasElement): void {
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) {
        event.preventDefault();
        view.zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        view.pan((event.deltaX || event.deltaY) / view.width);
      }
    },
    { passive: false },
  );
  let grabbedUs: number | null = null;
  canvas.addEventListener('pointerdown', (event) => {
    grabbedUs = view.usAt(event.offsetX);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (grabbedUs === null) return;
    const us = grabbedUs - view.usAt(event.offsetX);
    view.show(view.start + us, view.end + us);
  });
  for (const type of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(type, () => {
      grabbedUs = null;
    });
  }
}

function showTips(canvas: HTMLCanvasElement, describe: (us: number, y: number) => string | null): void {
  const tip = element('tip');
  canvas.addEventListener('pointermove', (event) => {
    const text = describe(view.usAt(event.offsetX), event.offsetY);
    tip.hidden = text === null;
    if (text === null) return;
    tip.textContent = text;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  });
  canvas.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
}

// ---- the table of functions

let tableTimer = 0;

function requestTable(): void {
  clearTimeout(tableTimer);
  tableTimer = setTimeout(fillTable, 120) as unknown as number;
}

function choose(number: number): void {
  if (chosen === number) return;
  chosen = number;
  requestTable();
}

function fillTable(): void {
  const self = new Float64Array(data.frames.length);
  const total = new Float64Array(data.frames.length);
  let busyUs = 0;
  for (const [number, lane] of lanes.entries()) {
    if (chosen !== -1 && number !== chosen) continue;
    const times = timesOf(lane, data.frames.length, view.start, view.end);
    busyUs += times.busyUs;
    for (let frame = 0; frame < self.length; frame++) {
      self[frame] += times.self[frame];
      total[frame] += times.total[frame];
    }
  }
  const who = chosen === -1 ? 'all threads' : lanes[chosen].name;
  element('scope').textContent =
    `Functions of ${who}, ${formatUs(view.start)} to ${formatUs(view.end)}: ${formatUs(busyUs)} on the CPU`;
  element('all').hidden = chosen === -1;
  const frames = [...self.keys()].filter((frame) => total[frame] > 0 && look.matches?.[frame] !== false);
  frames.sort((a, b) => self[b] - self[a] || total[b] - total[a]);
  const rows = frames.slice(0, TABLE_ROWS).map((frame) => functionRow(frame, self, total, busyUs));
  element('functions').replaceChildren(...rows);
}

function functionRow(frame: number, self: Float64Array, total: Float64Array, busyUs: number): HTMLElement {
  const row = make('tr');
  const cells = [
    make('td', formatUs(self[frame]), 'number'),
    make('td', `${((100 * self[frame]) / busyUs).toFixed(1)} %`, 'number'),
    make('td', formatUs(total[frame]), 'number'),
    make('td', look.labels[frame], look.isOwn[frame] ? 'own' : ''),
    make('td', places[frame], 'place'),
  ];
  row.append(...cells);
  row.addEventListener('click', () => {
    element<HTMLInputElement>('search').value = look.labels[frame];
    search();
  });
  return row;
}

// ---- search, theme, keyboard

function search(): void {
  const text = element<HTMLInputElement>('search').value.trim().toLowerCase();
  look.matches =
    text === ''
      ? null
      : look.labels.map(
          (label, frame) => label.toLowerCase().includes(text) || places[frame].toLowerCase().includes(text),
        );
  requestDraw();
}

function setTheme(next: 'light' | 'dark'): void {
  theme = next;
  document.documentElement.dataset.theme = next;
  const colours = frameColours(palettes[next]);
  look.colours = data.frames.map(([name, , , , owner]) => colours[owner][shadeOf(data.strings[name])]);
  const entries = [
    ...owners.map((name, owner) => [name, colours[owner][2]]),
    ...phases.map((name, phase) => [name, palettes[next].phases[phase]]),
  ];
  element('legend').replaceChildren(
    ...entries.map(([name, colour]) => {
      const item = make('li');
      const swatch = make('i');
      swatch.style.background = colour;
      item.append(swatch, name);
      return item;
    }),
  );
  requestDraw();
}

const keys: { readonly [key: string]: () => void } = {
  w: () => view.zoom(0.8),
  '+': () => view.zoom(0.8),
  s: () => view.zoom(1.25),
  '-': () => view.zoom(1.25),
  a: () => view.pan(-0.2),
  ArrowLeft: () => view.pan(-0.2),
  d: () => view.pan(0.2),
  ArrowRight: () => view.pan(0.2),
  '0': () => view.show(0, data.durationUs),
  t: () => setTheme(theme === 'dark' ? 'light' : 'dark'),
  '/': () => element('search').focus(),
  '?': () => element<HTMLDialogElement>('help').showModal(),
};

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = element<HTMLInputElement>('search');
  if (event.key === 'Escape') {
    field.value = '';
    field.blur();
    search();
    return;
  }
  if (event.target === field || element<HTMLDialogElement>('help').open) return;
  const act = keys[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

document.title = data.title;
element('title').textContent = data.title;
element('subtitle').textContent = data.subtitle;
element('notes').replaceChildren(...data.notes.map((note) => make('li', note)));
for (const pool of new Set([...lanes.map((lane) => lane.pool), ...data.exchanges.pools])) addAll(pool);
setTheme(theme);
document.addEventListener('keydown', onKey);
element('search').addEventListener('input', search);
element('whole').addEventListener('click', keys['0']);
element('theme').addEventListener('click', keys.t);
element('keys').addEventListener('click', keys['?']);
element('all').addEventListener('click', () => choose(-1));
listenOn(element<HTMLCanvasElement>('ruler'));
addEventListener('resize', requestDraw);
draw();
document.documentElement.dataset.ready = '';
