/** An outlet that keeps what an exchange sends, refuses it while it is `full`, and breaks off with its `error`. */
import { HostedExchange } from '../../workers/exchange/exchange.ts';
import type { Outlet } from '../../workers/exchange/outlet.ts';
import { ReceivedFields } from '../../workers/fields/received.ts';
import type { ExchangeRequest } from '../../workers/gateway.ts';

export type Sent = readonly unknown[];

export class ScriptedOutlet implements Outlet<HostedExchange> {
  stalls = 0;
  stallsOver = 0;
  readonly options = {
    application: 'file:///scripted',
    pool: 'scripted',
    requestWindowBytes: 100,
    creditEveryBytes: 25,
    responseWindowBytes: 20,
    writeBacklogBytes: 50,
  };
  readonly maxDataBytes = 8;
  readonly maxHeadBytes = 400;
  readonly sent: Sent[] = [];
  full = false;
  error: Error | null = null;
  errorOfReset: Error | null = null;
  isDraining = false;
  finishedTimes = 0;
  pushNumber = 0;
  readonly owing = new Set<HostedExchange>();

  /** What was sent since the last call. */
  take(): Sent[] {
    return this.sent.splice(0);
  }

  #send(message: Sent): boolean {
    if (this.error !== null) throw this.error;
    if (!this.full) this.sent.push(message);
    return !this.full;
  }

  sendHead(
    _: HostedExchange,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean {
    return this.#send([
      'head',
      flags,
      status,
      [...fields],
      body === null ? null : Buffer.from(body).toString(),
    ]);
  }

  sendInform(_: HostedExchange, status: number, fields: readonly string[]): boolean {
    return this.#send(['inform', status, [...fields]]);
  }

  sendData(_: HostedExchange, flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#send(['data', flags, Buffer.from(bytes.subarray(start, end)).toString()]);
  }

  sendTrailers(_: HostedExchange, flags: number, fields: readonly string[]): boolean {
    return this.#send(['trailers', flags, [...fields]]);
  }

  sendCredit(_: HostedExchange, granted: number, consumed: number): boolean {
    return this.#send(['credit', granted, consumed]);
  }

  nextPushNumber(): number {
    return ++this.pushNumber;
  }

  sendPush(
    _: HostedExchange,
    number: number,
    method: string,
    path: string,
    fields: readonly string[],
  ): boolean {
    return this.#send(['push', number, method, path, [...fields]]);
  }

  sendPad(_: HostedExchange, toMultipleOf: number): boolean {
    return this.#send(['pad', toMultipleOf]);
  }

  stalled(): void {
    this.stalls++;
  }

  unstalled(): void {
    this.stallsOver++;
  }

  oweCredit(exchange: HostedExchange): void {
    this.owing.add(exchange);
  }

  sendClosed(): void {
    this.sent.push(['closed']);
  }

  sendReset(_: HostedExchange, flags: number, code: number, reason: number): void {
    if (this.errorOfReset !== null) throw this.errorOfReset;
    this.sent.push(['reset', flags, code, reason]);
  }

  finished(): void {
    this.finishedTimes++;
  }
}

export function hosted(requestEnded: boolean, method = 'GET') {
  const outlet = new ScriptedOutlet();
  const request: ExchangeRequest = {
    method,
    scheme: 'http',
    authority: 'example.org',
    path: '/',
    protocol: '',
    version: '2',
    remote: { address: '127.0.0.1', port: 1 },
    tls: null,
    priority: { urgency: 3, incremental: false },
    fields: new ReceivedFields([]),
  };
  const exchange = new HostedExchange(outlet, 3, request, requestEnded);
  return { outlet, exchange };
}
