import { setImmediate } from 'node:timers/promises';

async function create() {
  await setImmediate();
  return (_req, res) => res.end('promised');
}
export default create();
