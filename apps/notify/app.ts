/**
 * Notifications: a Web Push service (RFC 8030) on one SQLite file that all threads of the pool share.
 * `SLUICE_NOTIFY_FILE` names the file; by default it is in the directory in which the server was started.
 */
import type { Exchange, LifespanContext } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';
import { Bell } from './bell.ts';
import { RENEW_INTERVAL_MS, SWEEP_INTERVAL_MS } from './limits.ts';
import { PushService } from './service.ts';
import { Storage } from './storage.ts';

interface Running {
  readonly resources: Resources;
  readonly storage: Storage;
  readonly bell: Bell;
  readonly timers: readonly NodeJS.Timeout[];
}

let running: Running | null = null;

export function start(_context: LifespanContext): void {
  const file = process.env.SLUICE_NOTIFY_FILE ?? 'notify.sqlite';
  const storage = open(file);
  const bell = new Bell(`notify ${file}`);
  const service = new PushService(storage, bell);
  const resources: Resources = {
    get: (path) => (path === '/notify' ? { GET: showPage } : service.get(path)),
  };
  const timers = [
    setInterval(() => bell.ring(...storage.sweep()), SWEEP_INTERVAL_MS),
    setInterval(() => service.renewMonitored(), RENEW_INTERVAL_MS),
  ];
  for (const timer of timers) timer.unref();
  running = { resources, storage, bell, timers };
}

function open(file: string): Storage {
  try {
    return new Storage(file);
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`expected a file that can be written, SLUICE_NOTIFY_FILE says '${file}': ${why}`, {
      cause: error,
    });
  }
}

export function stop(): void {
  if (running === null) return;
  const { storage, bell, timers } = running;
  running = null;
  for (const timer of timers) clearInterval(timer);
  bell.close();
  storage.close();
}

export default async function notify(exchange: Exchange): Promise<void> {
  await answer(exchange, (running as Running).resources);
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
