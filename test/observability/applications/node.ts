/** The same as a Node handler finds it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export default (req: IncomingMessage, res: ServerResponse): void => {
  res.end(JSON.stringify(req.headersDistinct['x-request-id'] ?? []));
};
