import { threadId } from 'node:worker_threads';
import { rows } from '../../shared/utils/rows.js';

export default defineEventHandler((event) => ({
  thread: threadId,
  rows: rows(Number(getQuery(event).rows)),
}));
