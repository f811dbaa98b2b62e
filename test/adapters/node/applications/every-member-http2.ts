/** As `every-member`, where the server is one of node:http2. */
import { createServer } from 'node:http2';
import { handler } from './every-member.ts';

export default createServer(handler as never);
