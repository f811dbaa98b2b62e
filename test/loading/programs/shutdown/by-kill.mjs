/** As NestJS does with `enableShutdownHooks()`: a promise, and at its end the signal once more. */
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { tell } from './common.mjs';

const server = createServer((_req, res) => res.end('ok'));
const onSignal = async (signal) => {
  tell('beforeApplicationShutdown');
  await promisify(server.close.bind(server))();
  await new Promise((resolve) => setImmediate(resolve));
  tell(`onApplicationShutdown ${signal}`);
  process.removeListener('SIGINT', onSignal);
  process.kill(process.pid, signal);
};
process.on('SIGINT', onSignal);
server.listen(3000);
export const stop = () => tell('stop');
