/** Counters that any client may increment: `/counter/value?name=NAME`, kept by a keyed actor. */
import { threadId } from 'node:worker_threads';
import { actor } from '../../workers/actors/actors.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, Refusal, type Resources } from '../site/routing.ts';
import type { Count, Counter } from './counter.ts';

const counters = actor<typeof Counter>('counter');
const MAX_NAME_CHARS = 40;

const RESOURCES: Resources = new Map([
  ['/counter', { GET: showPage }],
  ['/counter/value', { GET: show, POST: push }],
]);

export default function counter(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

async function show(exchange: Exchange, query: URLSearchParams): Promise<void> {
  respondCount(exchange, await counters.of(nameOf(query)).value({ signal: exchange.signal }));
}

async function push(exchange: Exchange, query: URLSearchParams): Promise<void> {
  // Not cancelled with the request: an increment that has begun counts.
  respondCount(exchange, await counters.of(nameOf(query)).add(1));
}

/** @throws Refusal 400 */
function nameOf(query: URLSearchParams): string {
  const name = query.get('name') ?? 'first';
  if (name !== '' && name.length <= MAX_NAME_CHARS && name.isWellFormed()) return name;
  throw new Refusal(400, `A counter has a name of 1 to ${MAX_NAME_CHARS} characters.`);
}

function respondCount(exchange: Exchange, count: Count): void {
  const fields = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  exchange.respond(200, fields, `${JSON.stringify({ ...count, askedBy: threadId })}\n`);
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
