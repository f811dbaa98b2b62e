/** Tells whether a loaded module can still do something. A program may listen after a file, a name server or a database has answered. */

/** Interval between two checks while something is pending. */
const LOOK_EVERY_MS = 20;
/** Consecutive turns of the loop with nothing pending. Promises that wait for each other settle within them. */
const QUIET_TURNS = 3;

/** Resolves when nothing is pending that could still call the module's code. */
export async function nothingLeft(): Promise<undefined> {
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isBusy()) {
      quiet = 0;
      // An unreferenced timer is not among the active resources.
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
    } else quiet++;
  }
  return undefined;
}

/** The message ports and immediates are Sluice's own. */
function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((each) => each !== 'MessagePort' && each !== 'Immediate');
}
