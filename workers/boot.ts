/**
 * A thread's one long-lived Piscina task: load the application, host it on the channel until the reactor drains it.
 */
import { AsyncResource } from 'node:async_hooks';
import { flushCompileCache } from 'node:module';
import { inspect } from 'node:util';
import { expose, type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type {
  ErrorReport,
  ThreadBoot,
  ThreadControl,
  ThreadOutcome,
  ThreadReports,
} from '../wire/control.ts';
import type { ExchangeRequest, Lifespan } from './gateway.ts';
import { Host, type HostObserver } from './host.ts';
import { type Loaded, load } from './loading/load.ts';

/** Failures told to the reactor's log in one second; the rest are counted. */
const REPORTS_PER_SECOND = 20;

export default async function boot({ channel, control, host: options }: ThreadBoot): Promise<ThreadOutcome> {
  const endpoint = nodeEndpoint(control);
  const reports = wrap<ThreadReports>(endpoint);
  let host: Host | undefined;
  try {
    const draining = new AbortController();
    // What the module and its lifespan enter (`AsyncLocalStorage.enterWith`) is theirs, not the exchanges'.
    const context = new AsyncResource('SLUICE_LIFESPAN');
    let loaded: Loaded;
    try {
      loaded = await context.runInAsyncScope(load, undefined, options);
      const { lifespan } = loaded;
      const start = () => lifespan.start?.({ pool: options.pool, draining: draining.signal });
      await context.runInAsyncScope(start);
    } catch (error) {
      return { ended: 'load-failed', error: describe(error) };
    }
    const running = new Host(loaded.application, channel, options, new FailureReporter(reports));
    host = running;
    const drained = Promise.withResolvers<void>();
    const abort = () => context.runInAsyncScope(draining.abort, draining);
    const surface: ThreadControl = {
      drain: () => {
        abort();
        void running.drain().then(drained.resolve);
      },
      announceDrain: () => {
        abort();
        running.announceDrain();
      },
      stats: () => running.stats(),
    };
    expose(surface, endpoint);
    void reports.ready();
    // As the main thread does: a thread that is killed would leave nothing for the next one.
    setImmediate(flushCompileCache);
    await drained.promise;
    await context.runInAsyncScope(stop, undefined, loaded.lifespan, options.stopTimeoutMs, reports);
    return { ended: 'drained' };
  } finally {
    host?.close();
    control.close();
  }
}

/** Never rejects, and ends: a thread that is to end must not be held up by what it cleans up. */
async function stop(
  { stop }: Lifespan,
  timeoutMs: number | undefined,
  reports: Remote<ThreadReports>,
): Promise<void> {
  if (stop === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    if (timeoutMs === undefined) return;
    const error = new Error(`expected the application's stop() to end within ${timeoutMs} ms, it goes on`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    await Promise.race([stop(), late]);
  } catch (error) {
    await reports.stopFailed(describe(error));
  } finally {
    clearTimeout(timer);
  }
}

function describe(error: unknown): ErrorReport {
  // Anything can be thrown, even what cannot become a string.
  if (!(error instanceof Error)) return { name: 'Error', message: text(error), stack: '' };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: text(error.name), message: text(error.message), stack: text(error.stack), ...code };
}

/** Errors are objects that anyone may have written to; what is no string might not even be clonable. */
function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === undefined
      ? ''
      : inspect(value, { customInspect: false });
}

/** Reports failures at a bounded rate: an application that throws on every request must not bury the log. */
class FailureReporter implements HostObserver {
  readonly #reports: Remote<ThreadReports>;
  #second = 0;
  #told = 0;
  #suppressed = 0;

  constructor(reports: Remote<ThreadReports>) {
    this.#reports = reports;
  }

  onFailure(error: unknown, request: ExchangeRequest): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#told = 0;
    }
    if (this.#told >= REPORTS_PER_SECOND) {
      this.#suppressed++;
      return;
    }
    this.#told++;
    void this.#reports.applicationError(describe(error), request.method, request.path, this.#suppressed);
    this.#suppressed = 0;
  }
}
