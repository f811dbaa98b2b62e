/**
 * Checks a response between the two sides, of an exchange or promised: the rules of sections 2, 5, 6 and 7 of
 * docs/sgi.md.
 */

import { requireContent } from '../exchange/values.ts';
import { contentLengthOf, flatten, flattenTrailers } from '../fields/sent.ts';
import type { Closed, FieldsInit, GatewayError, PushedResponse } from '../gateway.ts';
import type { Report } from './report.ts';
import { type Call, ORDER, type State } from './response-order.ts';

/** Pieces of at most this size are compared after they have been taken. */
const COMPARED_BYTES = 65_536;
/** Error codes of the interface, and the rule that a call with this error broke. */
const RULES: { readonly [code: string]: string } = {
  SLUICE_STATUS_INVALID: '5.2',
  SLUICE_FIELD_INVALID: '6.5',
  SLUICE_FIELD_REPEATED: '6.3',
  SLUICE_PADDING_INVALID: '5.9',
  SLUICE_RESET_CODE_INVALID: '7.3',
  SLUICE_PUSH_INVALID: '8.2',
  SLUICE_NOT_A_TUNNEL: '9.2',
  SLUICE_VALUE_INVALID: '2.8',
  SLUICE_WRITE_BACKLOG: '5.5',
};

export class ValidatedResponse implements PushedResponse {
  readonly report: Report;
  readonly #inner: PushedResponse;
  readonly #isHead: boolean;
  #state: State = 'idle';
  /** Bytes missing to Content-Length; -1: none was declared. */
  #left = -1;
  #holds = true;
  /**
   * The last value of `writableBytes`, less what was written since; -1: it was not read yet, or padding takes
   * a part that cannot be calculated.
   */
  #room = -1;
  #signal: AbortSignal | null = null;
  #closed: Promise<Closed> | null = null;

  constructor(inner: PushedResponse, isHead: boolean, report: Report) {
    this.report = report;
    this.#inner = inner;
    this.#isHead = isHead;
    this.#watchEnd();
  }

  get state(): State {
    return this.#state;
  }

  /** The application's function is over. */
  release(): void {
    this.#holds = false;
  }

  mustHold(what: string): void {
    if (!this.#holds)
      throw this.report.application(
        '1.2',
        `expected no call after the application's function ended, got ${what}`,
      );
  }

  /** Checks the end, which comes once in any case: rules 7.1 and 7.2. */
  #watchEnd(): void {
    this.#closed = this.#inner.closed;
    void this.#closed.then(
      (closed) => this.#judgeEnd(closed),
      () => this.report.server('7.1', 'expected closed never to reject, but it did'),
    );
  }

  #judgeEnd({ by, how, code }: Closed): void {
    const isKnown = ['application', 'peer', 'server'].includes(by) && (how === 'complete' || how === 'reset');
    if (!isKnown || !Number.isInteger(code) || (how === 'complete' && code !== 0)) {
      this.report.server(
        '7.1',
        `expected closed to say who ended the exchange, how, and with which code, got ${JSON.stringify({ by, how, code })}`,
      );
    }
    if (how === 'complete' && this.#inner.signal?.aborted) {
      this.report.server('7.2', 'expected signal not to abort for a complete response, but it did');
    }
    if (how === 'reset' && this.#state !== 'ended') this.#judgeReason();
  }

  #judgeReason(): void {
    const { signal } = this.#inner;
    const reason = signal.reason as GatewayError | undefined;
    // A missing signal has already been reported.
    if (signal === undefined) return;
    if (!signal.aborted) {
      this.report.server('7.2', 'expected signal to abort when the exchange is cut off, but it did not');
    } else if (reason?.code !== 'SLUICE_EXCHANGE_CLOSED' || reason.closedBy === undefined) {
      this.report.server(
        '7.2',
        `expected the reason to be SLUICE_EXCHANGE_CLOSED and to say who closed it, got ${String(reason)}`,
      );
    }
  }

  /** @throws Violation if the grammar does not allow the call here */
  protected enter(call: Call): void {
    this.mustHold(call);
    const next = ORDER[this.#state][call];
    // After a cut every call that sends fails in the same way (rule 2.7); the server must say so.
    if (typeof next === 'string' || this.#inner.signal?.aborted) return;
    throw this.report.application(
      next.rule,
      `expected the order of section 2, got ${call} when the response was ${this.#state}`,
    );
  }

  protected entered(call: Call): void {
    const next = ORDER[this.#state][call];
    if (typeof next === 'string') this.#state = next;
  }

  /**
   * A call that a server refuses broke a rule, which the error's code identifies. The application gets the
   * server's own message.
   */
  protected refused(error: unknown): unknown {
    const { code, message } = error as GatewayError;
    const rule = RULES[code];
    if (rule !== undefined) this.report.application(rule, message);
    return error;
  }

  protected attempt<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.refused(error);
    }
  }

  /** A call that sends must fail after a cut, and in one way (rule 2.7). */
  protected send<T>(what: string, call: () => T): T {
    const wasCut = this.#inner.signal?.aborted;
    try {
      const result = call();
      if (wasCut)
        this.report.server('2.7', `expected ${what} to fail after the exchange was cut off, but it did not`);
      return result;
    } catch (error) {
      if (!wasCut) throw this.refused(error);
      this.#mustSayClosed(what, error);
      throw error;
    }
  }

  #mustSayClosed(what: string, error: unknown): void {
    const { code } = error as GatewayError;
    if (code !== 'SLUICE_EXCHANGE_CLOSED')
      this.report.server('2.7', `expected SLUICE_EXCHANGE_CLOSED from ${what} after a cut, got ${code}`);
  }

  inform(status: number, fields?: FieldsInit): void {
    this.enter('inform');
    this.attempt(() => this.#inner.inform(status, fields));
  }

  respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    const call = body === undefined ? 'respond' : 'respond whole';
    this.enter(call);
    const lines = linesOf(fields);
    const flat = this.attempt(() => flatten(lines));
    if (body !== undefined) this.attempt(() => requireContent(body, 'a body'));
    const isBodiless = this.#isHead || status === 204 || status === 304;
    const declared = isBodiless ? -1 : this.attempt(() => contentLengthOf(flat));
    const isWrong = body !== undefined && declared !== -1 && declared !== Buffer.byteLength(body);
    try {
      this.send('respond', () => this.#inner.respond(status, lines, body));
    } catch (error) {
      if (isWrong) this.report.application('5.3', (error as Error).message);
      throw error;
    }
    if (isWrong && !this.#inner.signal?.aborted) {
      this.report.server(
        '5.3',
        `expected a content-length of ${declared} to be refused, because the body has another`,
      );
    }
    if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
      this.report.server('5.2', `expected the status ${status} to be refused, but it was accepted`);
    }
    this.#left = declared;
    this.entered(call);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    // A wrong value is thrown at the call and not reported through the promise (rule 2.8).
    if (this.#holds && this.#state === 'started' && !this.#inner.signal?.aborted) {
      this.attempt(() => requireContent(chunk, 'a piece'));
    }
    const written = this.#write(chunk);
    // As for the server's own promise: the rejection of a piece that was cut off, or is one too many, may be
    // ignored without harm (rule 2.7).
    written.catch(() => undefined);
    return written;
  }

  async #write(chunk: Uint8Array | string): Promise<void> {
    this.enter('write');
    const { length } = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (this.#left !== -1 && length > this.#left) {
      throw this.report.application(
        '5.3',
        `expected at most ${this.#left} more bytes, as content-length says, got ${length}`,
      );
    }
    if (this.#left !== -1) this.#left -= length;
    if (this.#room >= 0) this.#room = Math.max(0, this.#room - length);
    const before = typeof chunk === 'string' || length > COMPARED_BYTES ? null : chunk.slice();
    const wasCut = this.#inner.signal?.aborted;
    try {
      const written = this.#inner.write(chunk);
      if (!(written instanceof Promise)) this.report.server('5.5', 'expected write to return a promise');
      await written;
      if (wasCut)
        this.report.server('2.7', 'expected write to fail after the exchange was cut off, but it did not');
    } catch (error) {
      if (!wasCut) throw this.refused(error);
      this.#mustSayClosed('write', error);
      throw error;
    }
    if (before !== null && Buffer.compare(before, chunk as Uint8Array) !== 0) {
      throw this.report.application('5.5', 'expected the bytes not to change until write has resolved');
    }
  }

  end(trailers?: FieldsInit): void {
    this.enter('end');
    if (this.#left > 0)
      throw this.report.application('5.3', `expected ${this.#left} more bytes, as content-length says`);
    const lines = linesOf(trailers);
    try {
      flattenTrailers(lines);
    } catch (error) {
      const { code, message } = error as GatewayError;
      const rule = code === 'SLUICE_FIELD_INVALID' ? '5.7' : RULES[code];
      // An error thrown by a getter of the application breaks no rule.
      throw rule === undefined ? error : this.report.application(rule, message);
    }
    this.send('end', () => this.#inner.end(lines));
    this.entered('end');
  }

  pad(toMultipleOf: number): void {
    this.mustHold('pad');
    this.#room = -2;
    this.attempt(() => this.#inner.pad(toMultipleOf));
  }

  reset(code?: number): void {
    this.mustHold('reset');
    this.attempt(() => this.#inner.reset(code));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  get writableBytes(): number {
    const room = this.#inner.writableBytes;
    if (!(Number.isInteger(room) && room >= 0))
      this.report.server('5.6', `expected writableBytes to be a number of bytes, got ${room}`);
    if (this.#state !== 'ended' && !this.#inner.signal?.aborted && room < this.#room)
      this.report.server(
        '5.6',
        `expected writableBytes to shrink by what is written, from ${this.#room}, got ${room}`,
      );
    // Padding takes a part that cannot be calculated here.
    if (this.#room !== -2 && this.#state === 'started') this.#room = room;
    return room;
  }

  get signal(): AbortSignal {
    const { signal } = this.#inner;
    this.#signal ??= signal;
    if (signal !== this.#signal) this.report.server('7.2', 'expected one signal for an exchange, got two');
    return signal;
  }

  get closed(): Promise<Closed> {
    return this.#inner.closed;
  }
}

/** An iterator returns its lines only once, and both sides need them. */
function linesOf(fields: FieldsInit | undefined): FieldsInit | undefined {
  if (typeof fields !== 'object' || fields === null || !(Symbol.iterator in fields)) return fields;
  return typeof fields[Symbol.iterator] === 'function' ? [...fields] : fields;
}
