/**
 * The one long-lived Piscina task of a thread: it loads the application and hosts it on the channel until the
 * reactor drains it.
 */
import { AsyncResource } from 'node:async_hooks';
import { flushCompileCache } from 'node:module';
import { threadId } from 'node:worker_threads';
import { expose, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type {
  PrintStream,
  ThreadBoot,
  ThreadControl,
  ThreadOutcome,
  ThreadReports,
} from '../../wire/control.ts';
import { describeError } from '../../wire/error-report.ts';
import { Vitals } from '../../wire/vitals.ts';
import type { ActorThread } from '../actors/actor-thread.ts';
import { watchEvaluation } from '../loading/evaluation.ts';
import { type Loaded, load } from '../loading/load.ts';
import { LoadedFiles } from '../loading/loaded-files.ts';
import { Shutdown } from '../loading/shutdown.ts';
import { FailureReporter } from './failure-reporter.ts';
import { sendHeapSnapshot } from './heap-snapshot.ts';
import { Host } from './host.ts';
import { LabelledPrints } from './labelled-prints.ts';
import { makeLastWordsSafe } from './last-words.ts';
import { sampleMemory } from './memory-sampling.ts';
import { osThreadId } from './os-thread-id.ts';
import { boundPrints } from './prints.ts';
import { endWithProfile } from './profiled-end.ts';
import { named, runningRequestId, setCalledRequest } from './running-request.ts';
import { stopApplication } from './stop.ts';
import type { Tracing } from './tracing.ts';
import { warmUp } from './warm-up.ts';

export default async function boot({
  channel,
  control,
  profile,
  host: options,
  thread,
  actors: actorBoot,
}: ThreadBoot): Promise<ThreadOutcome> {
  const { exit } = process;
  makeLastWordsSafe(options.maxErrorChars);
  const vitals = new Vitals(channel.vitals);
  vitals.identify(threadId, osThreadId());
  sampleMemory(vitals);
  watchEvaluation((isUnendable) => vitals.setUnendable(isUnendable));
  const endpoint = nodeEndpoint(control);
  const reports = wrap<ThreadReports>(endpoint);
  const surface: Partial<ThreadControl> = { leave: () => exit.call(process) };
  expose(surface, endpoint);
  void reports.began();
  endWithProfile(profile, () => void reports.ending());
  const labels =
    options.prints && new LabelledPrints(options.prints, { pool: options.pool, thread }, runningRequestId);
  const tellDropped = (stream: PrintStream, writes: number) => void reports.printsDropped(stream, writes);
  boundPrints(options.maxWaitingPrintBytes ?? Infinity, tellDropped, labels ?? null);
  let host: Host | undefined;
  let actors: ActorThread | undefined;
  try {
    const draining = new AbortController();
    let tracing: Tracing | null = null;
    // A store that the module and its lifespan enter (`AsyncLocalStorage.enterWith`) belongs to them, not to
    // the exchanges.
    const context = new AsyncResource('SLUICE_LIFESPAN');
    const shutdown = new Shutdown((error) => {
      void reports.stopFailed(describeError(error, options.maxErrorChars));
    });
    const files = options.watch === true ? new LoadedFiles((paths) => void reports.loaded(paths)) : null;
    const reached = (step: string) => void reports.reached(step);
    let loaded: Loaded;
    /** What is loaded, if it is not what the reactor knows the pool by. */
    let loading = '';
    try {
      if (actorBoot !== undefined) {
        const { startActors } = await import('../actors/start.ts');
        actors = startActors(actorBoot);
        const { module } = actorBoot;
        if (options.hasOnlyActors !== true && module !== null)
          loading = `in the module of actors ${module}, `;
        if (module !== null) await context.runInAsyncScope(actors.load, actors, module, reached);
        loading = '';
      }
      loaded =
        options.hasOnlyActors === true
          ? NO_APPLICATION
          : await context.runInAsyncScope(load, undefined, options, shutdown);
      if (options.tracing !== undefined) {
        const { Tracing } = await import('./tracing.ts');
        const settings = { ...options.tracing, pool: options.pool, thread };
        tracing = new Tracing(settings, options.application, vitals);
      }
      const { lifespan } = loaded;
      const start = () => lifespan.start?.({ pool: options.pool, draining: draining.signal });
      if (lifespan.start !== undefined) reached("the application's start()");
      await context.runInAsyncScope(start);
      await warmUp(loaded.application, options, reached);
    } catch (error) {
      files?.flush();
      const report = describeError(error, options.maxErrorChars);
      return { ended: 'load-failed', error: { ...report, message: `${loading}${report.message}` } };
    }
    const isNamed = labels !== undefined && options.requestIdField !== undefined;
    const application = isNamed ? named(loaded.application) : loaded.application;
    const failures = new FailureReporter(
      (...reported) => void reports.applicationError(...reported),
      options.maxErrorChars,
    );
    const running = new Host(application, channel, options, failures, undefined, tracing);
    host = running;
    if (isNamed) setCalledRequest(() => running.calledRequestId);
    const drained = Promise.withResolvers<void>();
    const abort = () => context.runInAsyncScope(draining.abort, draining);
    let left: Promise<void> | undefined;
    const leave = () => {
      left ??= actors?.leave((error) => {
        void reports.stopFailed(describeError(error, options.maxErrorChars));
      });
    };
    const rest: Omit<ThreadControl, 'leave'> = {
      drain: () => {
        abort();
        leave();
        void running.drain().then(drained.resolve);
      },
      announceDrain: () => {
        abort();
        running.announceDrain();
        context.runInAsyncScope(shutdown.begin, shutdown);
      },
      stats: () => running.stats(),
      sendHeapSnapshot,
    };
    Object.assign(surface, rest);
    files?.flush();
    // Work that the module has begun and not awaited may fail at once. Then the application counts as not
    // loaded.
    await new Promise(setImmediate);
    void reports.ready(loaded.keepAliveTimeoutMs ?? null);
    // The main thread does this too. A thread that is killed would leave no compile cache for the next one.
    setImmediate(flushCompileCache);
    await drained.promise;
    const stopFailed = (error: unknown) => reports.stopFailed(describeError(error, options.maxErrorChars));
    await context.runInAsyncScope(
      stopApplication,
      undefined,
      loaded,
      shutdown,
      options.stopTimeoutMs,
      stopFailed,
    );
    await left;
    await reports.ending();
    return { ended: 'drained' };
  } finally {
    host?.close();
    actors?.close();
    control.close();
  }
}

/** The application of a pool that has only actors: no route leads to it. */
const NO_APPLICATION: Loaded = {
  application: (exchange) => exchange.respond(404),
  lifespan: {},
};
