/** Handlers that give a promise, or throw, when the exchange is over already; node:http would end the process. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export default function promises(req: IncomingMessage, res: ServerResponse): unknown {
  const step = req.url?.split('/').at(-1);
  if (step === 'alive') return res.end('alive');
  if (step === 'thrown') {
    setImmediate(() => {
      res.write('late');
      res.end('later');
    });
    throw new Error('thrown, and a callback is under way');
  }
  req.destroy();
  return Promise.reject(new Error('rejected behind the end'));
}
