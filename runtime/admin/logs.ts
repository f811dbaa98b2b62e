/** `GET /logs`: the newest log lines, then each new line as it is written. */
import type { ControlExchange } from '../control/routes.ts';
import type { LogTail } from '../logging/log-tail.ts';
import { badRequest } from './errors.ts';

export const MOST_LINES = 10_000;
export const BYDEFAULT_LINES = 100;
export const NDJSON = 'application/x-ndjson';

export async function answerLogs(exchange: ControlExchange, tail: LogTail): Promise<void> {
  const lines = linesOf(exchange.query.get('lines'));
  const follows = followsOf(exchange.query.get('follow'));
  exchange.respond(200, NDJSON);
  // Follows before it reads the newest lines, so that no line is missed in between.
  const follower = tail.follow();
  const leave = (): void => tail.leave(follower);
  exchange.signal.addEventListener('abort', leave);
  try {
    const newest = tail.newest(lines).join('');
    if (newest !== '') await exchange.write(newest);
    while (follows && !exchange.signal.aborted) {
      await follower.more();
      const text = follower.take();
      if (text !== '') await exchange.write(text);
    }
  } catch (error) {
    // The follower has left, which is the normal end.
    if (!exchange.signal.aborted) throw error;
  } finally {
    exchange.signal.removeEventListener('abort', leave);
    leave();
  }
}

function linesOf(text: string | null): number {
  if (text === null) return BYDEFAULT_LINES;
  const lines = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (lines <= MOST_LINES) return lines;
  throw badRequest('lines', `a whole number from 0 to ${MOST_LINES}`, text);
}

function followsOf(text: string | null): boolean {
  if (text === null || text === 'false') return false;
  if (text === 'true' || text === '') return true;
  throw badRequest('follow', 'true or false', text);
}
