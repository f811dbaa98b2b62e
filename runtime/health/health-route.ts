/** Answers `health.live` and `health.ready` in the reactor, whatever the threads do. */
import type { Explanation } from '../exchange/contracts.ts';
import type { Destination, Exchange, Taker } from '../exchange/exchange.ts';
import { OutcomeCounters } from '../exchange/outcomes.ts';
import type { Readiness } from './readiness.ts';

const OK = 200;
const METHOD_NOT_ALLOWED = 405;
const UNAVAILABLE = 503;

const FIELDS: readonly string[] = ['content-type', 'application/json', 'cache-control', 'no-store'];
const ALLOW: readonly string[] = ['allow', 'GET, HEAD'];

/** Answers 200: a server that cannot answer is not live. */
export function liveDestination(): Destination {
  const body = explanation({ live: true });
  return destinationOf({ submit: ({ exchange }) => answer(exchange, OK), withdraw }, () => body);
}

/** @param read called for every request */
export function readyDestination(read: () => Readiness): Destination {
  let readiness: Readiness | null = null;
  return destinationOf(
    {
      submit: ({ exchange }) => {
        readiness = read();
        answer(exchange, readiness.ready ? OK : UNAVAILABLE);
      },
      withdraw,
    },
    () => explanation(readiness ?? read()),
  );
}

/** `submit` answers at once, so nothing is left to withdraw. */
function withdraw(): boolean {
  return false;
}

function answer(exchange: Exchange, status: number): void {
  if (exchange.method === 'GET' || exchange.method === 'HEAD') exchange.answer(status);
  else exchange.answer(METHOD_NOT_ALLOWED, ALLOW);
}

function explanation(value: object): Explanation {
  return { fields: FIELDS, text: `${JSON.stringify(value)}\n` };
}

function destinationOf(dispatcher: Taker, explain: (status: number) => Explanation): Destination {
  return {
    dispatcher,
    responseWindowBytes: 65_536,
    maxResponseWindowBytes: 65_536,
    retryAfterSeconds: 1,
    maxBodyBytes: 0,
    minRequestBytesPerSecond: 0,
    websocket: false,
    connect: false,
    outcomes: new OutcomeCounters(),
    explain: (status, reason) =>
      status === OK || status === UNAVAILABLE
        ? explain(status)
        : explanation({ error: `${status} ${reason}` }),
  };
}
