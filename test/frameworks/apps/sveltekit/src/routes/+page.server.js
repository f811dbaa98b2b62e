import { threadId } from 'node:worker_threads';
import { rows } from '../lib/rows.js';

export const load = ({ url }) => ({
  thread: threadId,
  rows: rows(Number(url.searchParams.get('rows') ?? '10')),
});
