import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SIGNALS_FIELD } from '../../../server/signals.ts';
import { Watch } from './watch.ts';

/** Listens to all that there is to hear of an upload and its answer. */
export default function application(req: IncomingMessage, res: ServerResponse): void {
  const watch = new Watch(req.headers['x-user'] as string | undefined);
  const listen = (emitter: EventEmitter, name: string, events: readonly string[]) => {
    for (const event of events) emitter.on(event, () => watch.see(`${name} ${event}`));
  };
  listen(req, 'req', ['data', 'end', 'close', 'aborted']);
  listen(res, 'res', ['drain', 'prefinish', 'finish', 'close']);
  listen(req.socket, 'socket', ['close']);
  req.on('data', (chunk) => {
    res.write(chunk, () => watch.see('written'));
    setImmediate(() => watch.see('immediate'));
  });
  req.on('end', () => res.end(() => watch.see('ended')));
  res.on('close', () => setImmediate(() => watch.tell(String(req.headers[SIGNALS_FIELD]))));
}
