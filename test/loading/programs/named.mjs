/** Exported for its tests, listening when the database is there. */
import { createServer } from 'node:http';

export const port = 3000;
export const respond = (_req, res) => res.end('later than the module');
setTimeout(() => createServer(respond).listen(port), 20);
