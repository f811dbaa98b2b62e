/** Never loads; the port keeps the thread's loop alive. */
import { MessageChannel } from 'node:worker_threads';

new MessageChannel().port1.ref();
await new Promise(() => undefined);
export default function endless(): void {}
