/** The last thing that a thread does for its application, when all its exchanges are over: it lets the application stop, within a time. */
import { type Clock, RunningTimer } from '../../wire/running-timer.ts';
import type { Loaded } from '../loading/load.ts';
import type { Shutdown } from '../loading/shutdown.ts';

/** The port keeps the thread alive, so its timers do not count as something that the application has left to do. */
const threadClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Never rejects, and always ends: the application's cleanup must not hold up a thread that is to end.
 * @param timeoutMs of time in which the process ran; undefined: without limit
 * @param failed receives why the application did not stop, or not in time
 */
export async function stopApplication(
  { lifespan, close }: Loaded,
  shutdown: Pick<Shutdown, 'end'>,
  timeoutMs: number | undefined,
  failed: (error: unknown) => unknown,
  clock: Clock = threadClock,
): Promise<void> {
  let doing = 'listeners of SIGTERM to end, by process.exit() or when they have left nothing to do,';
  const late = Promise.withResolvers<never>();
  const tell = () =>
    late.reject(new Error(`expected the application's ${doing} within ${timeoutMs} ms, but it still runs`));
  const timer = timeoutMs === undefined ? null : new RunningTimer(timeoutMs, tell, clock);
  const stopped = async () => {
    await shutdown.end(() => close?.());
    doing = 'stop() to end';
    await lifespan.stop?.();
  };
  try {
    await Promise.race([stopped(), late.promise]);
  } catch (error) {
    await failed(error);
  } finally {
    timer?.cancel();
  }
}
