/** Whether a module that has been loaded can still do something: a program may listen when a file, a name or a database has answered. */

/** Between two looks, while something is under way. */
const LOOK_EVERY_MS = 20;
/** Turns of the loop without anything under way: promises that wait for each other are settled within them. */
const QUIET_TURNS = 3;

/** Resolves when nothing is under way that was not there when this was called first and could still call the module's code. */
export async function nothingLeft(): Promise<undefined> {
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isBusy()) {
      quiet = 0;
      // Unreferenced timers are none of the resources that count.
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
    } else quiet++;
  }
  return undefined;
}

/** Our own are the ports of the thread, and its standard streams. */
function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((each) => each !== 'MessagePort' && each !== 'Immediate');
}
