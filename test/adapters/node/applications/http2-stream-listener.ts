/** A server of node:http2 that listens to `stream` alone. */
import { byStream } from './http2-stream.ts';

export default byStream();
