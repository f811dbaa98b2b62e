/**
 * A report that takes long: it is split over a pool of threads, its parts are streamed into the page as they
 * complete, and it is cancelled when the browser leaves. `/report/run` responds with lines of JSON,
 * `/report/ended` with one line for each part that ends, of whatever report.
 */
import { randomUUID } from 'node:crypto';
import { actor, topic } from '../../workers/actors/actors.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, Refusal, type Resources } from '../site/routing.ts';
import { type Analysis, ENDED, type PartEnded } from './analysis.ts';

const analysis = actor<typeof Analysis>('analysis');
/** More parts than threads, so that no thread is idle while another has much left. */
const PARTS = 8;
const FROM = 10_000_000;
const MAX_NUMBERS = 50_000_000;
const LINES = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' };

const RESOURCES: Resources = new Map([
  ['/report', { GET: showPage }],
  ['/report/run', { GET: run }],
  ['/report/ended', { GET: tellEnded }],
]);

export default function report(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

interface Found {
  readonly primes: number;
  readonly largestGap: number;
}

async function run(exchange: Exchange, query: URLSearchParams): Promise<void> {
  const numbers = Number(query.get('numbers') ?? 4_000_000);
  if (!Number.isInteger(numbers) || numbers < PARTS || numbers > MAX_NUMBERS) {
    throw new Refusal(400, `Ask for a whole number of numbers, from ${PARTS} to ${MAX_NUMBERS}.`);
  }
  const job = randomUUID();
  exchange.respond(200, LINES);
  const size = Math.ceil(numbers / PARTS);
  await tell(exchange, { job, parts: PARTS, numbers });
  let found: readonly Found[];
  try {
    // An error in one part ends the others: their readers leave with the exchange.
    found = await Promise.all(
      Array.from({ length: PARTS }, (_, part) => runPart(exchange, job, part, size, numbers)),
    );
  } catch (error) {
    // The browser has left, which is no failure.
    if (exchange.signal.aborted) return;
    throw error;
  }
  const primes = found.reduce((sum, each) => sum + each.primes, 0);
  const largestGap = Math.max(...found.map((each) => each.largestGap));
  await tell(exchange, { job, primes, largestGap });
  exchange.end();
}

async function runPart(
  exchange: Exchange,
  job: string,
  part: number,
  size: number,
  numbers: number,
): Promise<Found> {
  const from = FROM + part * size;
  const to = Math.min(FROM + numbers, from + size);
  let last = { primes: 0, largestGap: 0 };
  const { signal } = exchange;
  for await (const progress of analysis.primes(job, part, from, to, { signal })) {
    last = progress;
    await tell(exchange, { part, of: to - from, ...progress });
  }
  return last;
}

/** Runs until its reader leaves. */
async function tellEnded(exchange: Exchange): Promise<void> {
  const ended = topic<PartEnded>(ENDED).subscribe();
  exchange.signal.addEventListener('abort', () => ended.close());
  exchange.draining.addEventListener('abort', () => ended.close());
  await ended.ready;
  exchange.respond(200, LINES);
  await exchange.write('{}\n');
  for await (const part of ended) await tell(exchange, part);
  if (!exchange.signal.aborted) exchange.end();
}

function tell(exchange: Exchange, line: object): Promise<void> {
  return exchange.write(`${JSON.stringify(line)}\n`);
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
