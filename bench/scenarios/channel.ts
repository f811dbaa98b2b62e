/** The channel alone, against `postMessage`: measured by bench/channel.ts, put into the tables here. */
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';

export const channel: Scenario = { name: 'channel', title: 'Channel against postMessage', run };

async function run(_context: BenchContext): Promise<ScenarioResult> {
  throw new Error('bench/channel.ts is not there yet');
}
