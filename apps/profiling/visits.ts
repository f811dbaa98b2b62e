/**
 * Planted fault: a leak. Every visit is remembered and never forgotten. docs/profiling.md finds the fault.
 */
import type { Exchange } from '../../workers/gateway.ts';

interface Visit {
  readonly number: number;
  readonly path: string;
  readonly agent: string;
  readonly pages: readonly string[];
}

const PAGES = 100;

/** The fault: entries are only ever added. A limit, or a WeakMap keyed by session, would fix it. */
const visits = new Map<number, Visit>();

export default function visit(exchange: Exchange): void {
  const { path, fields } = exchange.request;
  const { number } = rememberVisit(path, fields.get('user-agent') ?? '');
  exchange.respond(200, { 'content-type': 'text/plain; charset=utf-8' }, `visit ${number}\n`);
}

function rememberVisit(path: string, agent: string): Visit {
  const number = visits.size + 1;
  const pages = Array.from({ length: PAGES }, (_, page) => `${path}?page=${page}&visit=${number}`);
  const visit = { number, path, agent, pages };
  visits.set(number, visit);
  return visit;
}
