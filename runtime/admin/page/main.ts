/** The script of the page: while the page is visible, it asks the server once a second and shows the answer. */
import type { PoolEvent, ServerStatus } from '../../status/status-types.ts';
import type { ExchangesView } from '../exchange-types.ts';
import { ask, enter, Outside } from './api.ts';
import { Charts } from './charts.ts';
import { chosenRange, confirmed } from './dialog.ts';
import { showEvents, showExchanges } from './exchanges.ts';
import { History } from './history.ts';
import { Pools } from './pools.ts';
import { duration, element, make, say } from './text.ts';

const EVERY_MS = 1_000;
const MOST_EXCHANGES = 50;
const THEME = 'sluice-theme';

const history = new History();
const charts = new Charts(element('charts'));
const scope = element<HTMLSelectElement>('scope');
const pools = new Pools(element('pools'), {
  recyclePool: (pool) =>
    void act(
      `Recycle pool ${pool}?`,
      'Replaces each of its threads, one after the other. No request is lost.',
      'POST',
      poolPath(pool, 'recycle'),
    ),
  recycleThread: (thread) =>
    void act(
      `Recycle thread ${thread}?`,
      'Starts another thread in its place, and ends this one when its requests are finished.',
      'POST',
      `/threads/${encodeURIComponent(thread)}/recycle`,
    ),
  resize: (pool, range) => void resize(pool, range),
});
let isPaused = false;

function poolPath(pool: string, what: string): string {
  return `/pools/${encodeURIComponent(pool)}/${what}`;
}

function tell(text: string, isBad = false): void {
  const message = element('message');
  message.toggleAttribute('data-bad', isBad);
  say(message, text);
}

// ---- what is done

async function act(title: string, text: string, method: string, path: string, body?: unknown): Promise<void> {
  if (await confirmed(title, text)) await perform(title, method, path, body);
}

async function perform(title: string, method: string, path: string, body?: unknown): Promise<void> {
  const name = title.replace(/\?$/, '');
  tell(`${name}: in progress`);
  try {
    await ask(method, path, body);
    tell(`${name}: done`);
  } catch (error) {
    tell(`${name}: ${error instanceof Error ? error.message : error}`, true);
  }
}

async function resize(pool: string, from: { readonly min: number; readonly max: number }): Promise<void> {
  const title = `Resize pool ${pool}?`;
  const range = await chosenRange(
    title,
    'The new size is valid until the next reload. Surplus threads finish their requests.',
    from,
  );
  if (range !== null) await perform(title, 'POST', poolPath(pool, 'resize'), range);
}

const reload = (): void =>
  void act(
    'Reload the server?',
    'Loads the configuration and the applications as they are on the disk now. No request is lost.',
    'POST',
    '/reload',
  );

// ---- what is shown

async function look(): Promise<void> {
  const [status, exchanges, { events }] = (await Promise.all([
    ask('GET', '/status'),
    ask('GET', `/exchanges?limit=${MOST_EXCHANGES}`),
    ask('GET', '/events'),
  ])) as [ServerStatus, ExchangesView, { readonly events: readonly PoolEvent[] }];
  element('live').hidden = false;
  element('outside').hidden = true;
  const { version, pid, state, uptimeMs, connections, reactor } = status;
  say(
    element('server'),
    `${version}, process ${pid}, ${state} for ${duration(uptimeMs)}, ${connections.open} connections, reactor ${Math.round(100 * reactor.utilization)}% busy`,
  );
  document.title = `Sluice ${pid}: ${state}`;
  showScopes(status.pools.map(({ name }) => name));
  history.add(status, Math.round(Date.now() / 1_000));
  charts.show(history.times, history.since, history.track(scope.value));
  pools.show(status.pools);
  showExchanges(
    element('exchanges-title'),
    element('exchanges').querySelector('tbody') as HTMLElement,
    exchanges,
  );
  showEvents(element('events'), events);
}

function showScopes(names: readonly string[]): void {
  const wanted = ['', ...names];
  const shown = [...scope.options].map(({ value }) => value);
  if (wanted.join('\n') === shown.join('\n')) return;
  const { value } = scope;
  scope.replaceChildren(
    ...wanted.map((name) => {
      const option = make('option', '', name === '' ? 'all pools' : name);
      option.value = name;
      return option;
    }),
  );
  scope.value = wanted.includes(value) ? value : '';
}

/** One poll at a time, so a slow server is not asked twice. */
async function run(): Promise<void> {
  for (;;) {
    if (!document.hidden && !isPaused) {
      try {
        await look();
        if (element('message').textContent?.startsWith('No answer') === true) tell('');
      } catch (error) {
        if (error instanceof Outside) {
          element('live').hidden = true;
          element('outside').hidden = false;
          return;
        }
        tell(`No answer: ${error instanceof Error ? error.message : error}`, true);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

// ---- light and dark, and keys

function showTheme(theme: string | null): void {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  charts.forget();
}

function changeTheme(): void {
  const isDark =
    document.documentElement.dataset.theme === 'dark' ||
    (document.documentElement.dataset.theme === undefined &&
      matchMedia('(prefers-color-scheme: dark)').matches);
  const theme = isDark ? 'light' : 'dark';
  localStorage.setItem(THEME, theme);
  showTheme(theme);
}

const help = (): void => element<HTMLDialogElement>('help').showModal();

function pause(): void {
  isPaused = !isPaused;
  tell(isPaused ? 'Paused: press P to continue' : '');
}

const keys: Readonly<Record<string, () => void>> = { r: reload, t: changeTheme, p: pause, '?': help };

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (isTyping || document.querySelector('dialog[open]') !== null) return;
  keys[event.key.toLowerCase()]?.();
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forget());
element('theme').addEventListener('click', changeTheme);
element('keys').addEventListener('click', help);
element('reload').addEventListener('click', reload);
element('drain').addEventListener(
  'click',
  () =>
    void act(
      'Drain the server?',
      'The server takes no new requests, finishes the open ones, and ends.',
      'POST',
      '/drain',
    ),
);
scope.addEventListener('change', () => charts.show(history.times, history.since, history.track(scope.value)));

showTheme(localStorage.getItem(THEME));
try {
  await enter();
} catch (error) {
  tell(error instanceof Error ? error.message : String(error), true);
}
await run();
