/**
 * AVA's `test`, with a deadline for every test, hook and teardown. One that hangs fails by its name, the others of its file go on,
 * and its process ends after them. AVA's own `timeout`, which ends a whole file when no test of any has ended for so long, is
 * left for what blocks its thread.
 *
 * `t.timeout(ms)` sets another deadline, counted from the call. A deadline keeps no process alive, so that AVA still fails a test at
 * once when nothing is left that could resolve what it awaits.
 */
import ava, { type ExecutionContext, registerCompletionHandler, type TestFn } from 'ava';

type Run = (t: ExecutionContext, ...args: unknown[]) => unknown;

const defaultMs = Number(new URL(import.meta.url).searchParams.get('ms'));
let hasHung = false;

class Deadline {
  readonly #what: string;
  readonly #missed = Promise.withResolvers<never>();
  #timer: NodeJS.Timeout | undefined;

  /** @param what for the message; AVA adds the title. */
  constructor(what: string) {
    this.#what = what;
    this.set(defaultMs);
  }

  set(ms: number, why = ''): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // What hangs may hold sockets and threads, which would keep the process after its tests.
      if (!hasHung) registerCompletionHandler(() => process.exit());
      hasHung = true;
      this.#missed.reject(new Error(`${this.#what} has not ended within ${ms} ms${why && `: ${why}`}`));
    }, ms);
    this.#timer.unref();
  }

  /** What `work` comes to, which must be in time. */
  async hold(work: () => unknown): Promise<void> {
    try {
      await Promise.race([work(), this.#missed.promise]);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

function held(run: Run): Run {
  return (t, ...args) => {
    const deadline = new Deadline('it');
    const { teardown } = t;
    Object.assign(t, {
      timeout: (ms: number, why?: string) => deadline.set(ms, why),
      teardown: (close: () => unknown) => teardown(() => new Deadline('a teardown').hold(close)),
    });
    return deadline.hold(() => run(t, ...args));
  };
}

/** `test` and what hangs on it: `test.serial`, `test.before` and so on. A macro holds what it runs in `exec`. */
function chain<Link extends object>(link: Link): Link {
  return new Proxy(link, {
    apply(target, self, args: unknown[]) {
      const at = typeof args[0] === 'string' ? 1 : 0;
      const given = args[at] as Run | { readonly exec: Run } | undefined;
      if (typeof given === 'function') args[at] = held(given);
      else if (given !== undefined) args[at] = { ...given, exec: held(given.exec) };
      return Reflect.apply(target as () => unknown, self, args);
    },
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' && name !== 'macro' ? chain(value) : value;
    },
  });
}

const test: TestFn = chain(ava);
export default test;
export { registerCompletionHandler };
