/** Planted fault: a leak. Every visit is remembered, and nothing ever forgets one. docs/profiling.md finds it. */
import type { Exchange } from '../../workers/gateway.ts';

interface Visit {
  readonly number: number;
  readonly path: string;
  readonly agent: string;
  readonly pages: readonly string[];
}

const PAGES = 100;

/** The fault: what is only ever added to. A limit, or a WeakMap by session, would do. */
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
