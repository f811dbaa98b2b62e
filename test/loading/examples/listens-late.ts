// An application that is exported, and that listens once its database is there.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const handler = (_req: IncomingMessage, res: ServerResponse): void => {
  res.end(JSON.stringify(server.address() as AddressInfo | null));
};
const server = createServer(handler);
setImmediate(() => server.listen(0));

export default handler;
