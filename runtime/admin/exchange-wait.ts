/**
 * Finds out whom an exchange waits for. It checks from the outside inwards: a client that does not read the response, then a thread that can do
 * nothing, then a client that does not send the request. If none of these is the reason, the exchange waits for its application.
 *
 * The result describes one moment, because threads continue meanwhile.
 */
import { clockMicroseconds } from '../../wire/clock.ts';
import type { TransportFlow } from '../exchange/contracts.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ExchangeFlow } from '../exchange/exchange-job.ts';
import { isOver, isUnanswered } from '../exchange/state.ts';
import type { Thread } from '../pools/thread.ts';
import { Waits, type WaitView } from './exchange-types.ts';

/** How many actors or threads an explanation names. */
const MOST_NAMED = 4;

/** The part of a pool that an explanation needs. */
export interface WaitingPool {
  readonly name: string;
  readonly threads: Iterable<Thread>;
  readonly readyThreads: number;
  readonly figures: { readonly nextStartInMs: number | null };
}

export interface WaitContext {
  /** Null if no pool has it. */
  readonly pool: WaitingPool | null;
  /** Null if no thread of a pool has it. */
  readonly thread: Thread | null;
  readonly isBegun: boolean;
  readonly flow: ExchangeFlow;
  /** Null if its stream is over. */
  readonly transport: TransportFlow | null;
  /** Actors that its thread has asked and that have not answered. */
  readonly actorsAsked: readonly string[];
}

export function waitOf(exchange: Exchange, context: WaitContext): WaitView {
  const { pool, thread } = context;
  if (exchange.job.state === 'held') {
    const name = exchange.destination.route ?? '';
    return waits(Waits.Route, name, 'its route already has maxConcurrent exchanges with the pool');
  }
  if (exchange.job.state === 'queued') return waits(Waits.Pool, pool?.name ?? '', queueWhy(pool));
  if (thread !== null && !context.isBegun)
    return threadWait(thread, exchange, 'it has not begun this exchange');
  return (
    untakenResponse(exchange, context) ??
    (thread === null ? leaving(exchange, context) : begun(exchange, context, thread))
  );
}

function waits(who: Waits, name: string, why: string): WaitView {
  return { who, name, why };
}

function peerOf({ remoteAddress, remotePort }: Exchange): string {
  if (remoteAddress === '') return 'a client of a Unix domain socket';
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

/** Says for each thread of the pool why it takes no other exchange. */
function queueWhy(pool: WaitingPool | null): string {
  if (pool === null) return 'no thread has room';
  if (pool.readyThreads === 0) {
    const { nextStartInMs } = pool.figures;
    const next = nextStartInMs === null ? 'one is starting' : `the next starts in ${whole(nextStartInMs)} ms`;
    return `no thread takes exchanges: ${next}`;
  }
  const threads = [...pool.threads].filter(({ state }) => state === 'ready');
  const named = threads.slice(0, MOST_NAMED).map((thread) => {
    const running = thread.outstanding - thread.unbegunJobs;
    const doing = isAway(thread) ? `, and computes for ${whole(turnAgeMs(thread))} ms` : '';
    return `${thread.name} runs ${running}${doing}`;
  });
  const more = threads.length > MOST_NAMED ? `; and ${threads.length - MOST_NAMED} more` : '';
  return `no thread has room: ${named.join('; ')}${more}`;
}

/** The application has sent a response that does not leave. */
function untakenResponse(exchange: Exchange, { transport, flow }: WaitContext): WaitView | null {
  if (transport === null) return null;
  const peer = peerOf(exchange);
  const { queuedBytes, unsentBytes, peerWindowBytes, peerConnectionWindowBytes, earlier } = transport;
  if (queuedBytes > 0) {
    if (earlier > 0)
      return waits(
        Waits.Connection,
        peer,
        `${queuedBytes} bytes wait behind ${earlier} earlier responses on the connection`,
      );
    if (peerWindowBytes !== null && peerWindowBytes <= 0)
      return waits(Waits.Peer, peer, `${queuedBytes} bytes wait: it has used up the stream's window`);
    if (peerConnectionWindowBytes !== null && peerConnectionWindowBytes <= 0)
      return waits(Waits.Peer, peer, `${queuedBytes} bytes wait: it has used up the connection's window`);
    return waits(Waits.Peer, peer, `${queuedBytes} bytes wait: its socket accepts no more`);
  }
  const isUsedUp =
    flow.response !== null && flow.response.heldBytes + flow.response.owedBytes >= flow.response.windowBytes;
  if (unsentBytes > 0 && isUsedUp)
    return waits(Waits.Peer, peer, `its socket accepts no more: ${unsentBytes} bytes of the connection wait`);
  return null;
}

/** Its thread is done with it. */
function leaving(exchange: Exchange, { transport }: WaitContext): WaitView {
  const peer = peerOf(exchange);
  if (transport !== null && transport.earlier > 0)
    return waits(Waits.Connection, peer, `${transport.earlier} earlier responses must leave first`);
  const why = exchange.readsRequest ? 'it has not sent all of its request' : 'the response is on its way';
  return waits(Waits.Peer, peer, why);
}

function begun(exchange: Exchange, context: WaitContext, thread: Thread): WaitView {
  if (exchange.job.isUnsent) return threadWait(thread, exchange, 'it does not read, and its ring is full');
  // Only if its own code is known to run: a thread that is awake need not compute for the one exchange that it has begun.
  if (isAway(thread) && thread.vitals.within === exchange.job.slot) return awayWait(thread, exchange);
  const { request, response } = context.flow;
  const { transport } = context;
  const peer = peerOf(exchange);
  const isOpen = !isOver(exchange.progress) && exchange.readsRequest && request?.isWhole !== true;
  if (isOpen && request !== null && request.creditBytes > 0 && request.waitingBytes === 0) {
    const connectionWindowBytes = transport?.connectionWindowBytes ?? null;
    if (connectionWindowBytes !== null && connectionWindowBytes <= 0)
      return waits(
        Waits.Connection,
        peer,
        "other exchanges, which do not read, have used up the connection's window",
      );
    return waits(Waits.Peer, peer, 'the application reads, and the client sends no more of its request');
  }
  if (thread.vitals.isStalled(exchange.job.slot) && response !== null)
    return waits(Waits.Peer, peer, 'the application waits until the client has read more');
  // What it waits for is not there yet; only then does it matter that its thread is busy with others.
  if (isAway(thread)) return awayWait(thread, exchange);
  if (context.actorsAsked.length > 0) {
    const named = context.actorsAsked.slice(0, MOST_NAMED);
    return waits(Waits.Actor, named.join(', '), `thread ${thread.name} has asked it and has no answer`);
  }
  const name = context.pool?.name ?? thread.name;
  if (request !== null && request.waitingBytes > 0)
    return waits(Waits.Application, name, `it has not read ${request.waitingBytes} bytes of the request`);
  const done = isUnanswered(exchange.progress) ? 'it has not answered' : 'it has not ended its response';
  return waits(Waits.Application, name, `${done}, and computes nothing: it awaits something of its own`);
}

function awayWait(thread: Thread, exchange: Exchange): WaitView {
  return threadWait(thread, exchange, 'it has not returned to its event loop');
}

/** The thread is busy. Names the exchange that occupies it, if that is another one. */
function threadWait(thread: Thread, exchange: Exchange, why: string): WaitView {
  if (!isAway(thread)) return waits(Waits.Thread, thread.name, why);
  const running = thread.runningJob;
  const whom = running === null || running === exchange.job ? '' : ` for ${running.label.slice(0, 256)}`;
  const age = whole(turnAgeMs(thread));
  return waits(
    Waits.Thread,
    thread.name,
    `${why}: it computes, or waits within a call, for ${age} ms${whom}`,
  );
}

/** Whether the thread runs code: it has not announced that it sleeps. */
export function isAway({ channel, vitals }: Thread): boolean {
  return !channel.peerSleeps && vitals.threadId !== 0;
}

function turnAgeMs({ vitals }: Thread): number {
  return vitals.turnAgeUs(clockMicroseconds()) / 1000;
}

function whole(ms: number): number {
  return Math.round(ms);
}
