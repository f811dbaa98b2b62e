/**
 * The channel alone, against `postMessage`: bench/channel.ts measures it, and this scenario adds it to the
 * tables.
 */
import { run as runChannel } from '../channel.ts';
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';

export const channel: Scenario = { name: 'channel', title: 'Channel against postMessage', run };

/** Many short measurements vary less than a few long ones here, and no server has to start for each. */
const ROUNDS_FACTOR = 2;

function run(context: BenchContext): Promise<ScenarioResult> {
  return runChannel(
    context.isQuick
      ? { rounds: 1, milliseconds: 200 }
      : { rounds: ROUNDS_FACTOR * context.rounds, milliseconds: 400 },
  );
}
