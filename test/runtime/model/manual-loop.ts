/**
 * The event loop by hand. What the code under test gives to `setImmediate` and `setTimeout` waits here until the test
 * runs it, and `performance.now` stands still until the test moves it: so a run is the same every time and the test
 * chooses the order of turns. AVA keeps its own copies of these functions.
 */
export class ManualLoop {
  nowMs = 0;
  /** The turn that was asked for last. Each side of a channel has one function for all of its turns. */
  newest: (() => void) | null = null;
  #immediates: (() => void)[] = [];
  #timers: (() => void)[] = [];

  /** Replaces the globals for the whole test file, which is a process of its own. */
  install(): void {
    const loop = this;
    Object.assign(globalThis, {
      setImmediate(run: () => void) {
        loop.newest = run;
        loop.#immediates.push(run);
      },
      setTimeout(run: () => void) {
        loop.#timers.push(run);
        return { ref() {}, unref() {} };
      },
    });
    performance.now = () => loop.nowMs;
  }

  get pending(): number {
    return this.#immediates.length;
  }

  /** Runs one of the pending turns. */
  runOne(index: number): void {
    const [run] = this.#immediates.splice(index % Math.max(1, this.#immediates.length), 1);
    run?.();
  }

  /** Runs this turn if it is pending. False: it is not. */
  runNow(turn: () => void): boolean {
    const index = this.#immediates.indexOf(turn);
    if (index === -1) return false;
    this.#immediates.splice(index, 1);
    turn();
    return true;
  }

  /** Runs what is pending now; what that asks for waits for the next time. */
  runAll(): void {
    const pending = this.#immediates;
    this.#immediates = [];
    for (const run of pending) run();
  }

  /** Fires every timer, whenever it was due. */
  fireTimers(): void {
    const timers = this.#timers;
    this.#timers = [];
    for (const run of timers) run();
  }

  /** Forgets everything: what an earlier run of a property left behind. */
  clear(): void {
    this.#immediates = [];
    this.#timers = [];
    this.nowMs = 0;
  }
}

/** Lets promises and ticks settle that wait for nothing but each other. Deep enough for an application's return to be noticed. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await null;
  await new Promise<void>((resolve) => process.nextTick(resolve));
  for (let i = 0; i < 12; i++) await null;
}
