/** The channel alone, against `postMessage`: measured by bench/channel.ts, put into the tables here. */
import { run as runChannel } from '../channel.ts';
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';

export const channel: Scenario = { name: 'channel', title: 'Channel against postMessage', run };

/** Many short measurements scatter less than few long ones here: no server has to start for each. */
const ROUNDS_FACTOR = 2;

function run(context: BenchContext): Promise<ScenarioResult> {
  return runChannel(
    context.isQuick
      ? { rounds: 1, milliseconds: 200 }
      : { rounds: ROUNDS_FACTOR * context.rounds, milliseconds: 400 },
  );
}
