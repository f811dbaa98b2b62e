import type { IncomingMessage, ServerResponse } from 'node:http';
import { raw } from './raw.ts';

export default function plain(req: IncomingMessage, res: ServerResponse): void {
  raw(req, res);
}
