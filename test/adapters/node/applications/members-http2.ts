/** As `members`, where the server is one of node:http2. */
import { createServer } from 'node:http2';
import { handler } from './members.ts';

export default createServer(handler as never);
