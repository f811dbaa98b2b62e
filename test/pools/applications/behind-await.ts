/** Its body runs behind another's top-level await, until the test says so. Node aborts the process when its thread is terminated meanwhile. */
import type { Exchange } from '../../../workers/gateway.ts';
import { Signals } from '../../server/signals.ts';
import { answer } from './awaiting.ts';

const signals = new Signals(process.env.TEST_SIGNALS as string);
signals.tell('importing');
signals.blockUntil('go on');
signals.close();

export default function late(exchange: Exchange): void {
  exchange.respond(200, {}, String(answer));
}
