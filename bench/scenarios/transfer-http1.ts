/** One large body down and one up over HTTP/1.1: the throughput, and whether memory stays constant. */
import type { BenchContext, Scenario, ScenarioResult } from '../comparison.ts';
import { nodeHttpBodies } from '../contenders.ts';
import { compareTransfers, HOW_MEASURED, howTransferred, transferring } from './transfer.ts';

export const transferHttp1: Scenario = { name: 'transfer-http1', title: 'Large bodies over HTTP/1.1', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const ours = transferring(context);
  return {
    method: `${howTransferred(context)} Both have a Content-Length. ${HOW_MEASURED}`,
    comparisons: await compareTransfers(context, [nodeHttpBodies(), ours], ours, 'http/1.1'),
  };
}
