/** An application that does what the test tells it, one step at a time, on each exchange it is given. */
import { strict as assert } from 'node:assert';
import type { Closed, Exchange } from '../../../workers/gateway.ts';
import { pattern, patternAt } from './scripted-stream.ts';

/** Takes a third of the smallest ring. */
const HEAVY = { 'x-heavy': 'h'.repeat(100) };

export class ScriptedApplication {
  readonly id: number;
  readonly exchange: Exchange;
  readonly returned = Promise.withResolvers<void>();
  /** The application's function is over. */
  over = false;
  body: 'unread' | 'reading' | 'between' | 'whole' | 'cut' = 'unread';
  response: 'none' | 'head' | 'ended' = 'none';
  readBytes = 0;
  /** Bytes handed over, in order; those of refused writes are taken off again. */
  offeredBytes = 0;
  pendingWrites = 0;
  closed: Closed | null = null;
  timesClosed = 0;
  aborted = 0;
  disposed = false;
  #pieces: AsyncIterator<Uint8Array> | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.id = Number(exchange.request.path.slice(1));
    void exchange.closed.then((closed) => {
      this.closed = closed;
      this.timesClosed++;
    });
    exchange.signal.addEventListener('abort', () => this.aborted++);
  }

  read(): void {
    if (this.body !== 'unread' && this.body !== 'between') return;
    this.#pieces ??= this.exchange.body[Symbol.asyncIterator]();
    this.body = 'reading';
    this.#pieces.next().then(
      (result) => {
        if (result.done === true) {
          this.body = 'whole';
          return;
        }
        for (const byte of result.value) {
          assert.equal(byte, patternAt(this.id, this.readBytes++), 'request bytes in order');
        }
        this.body = 'between';
      },
      (error: unknown) => {
        requireGatewayError(error);
        this.body = 'cut';
      },
    );
  }

  inform(): void {
    attempt(() => this.exchange.inform(103, HEAVY));
  }

  respond(bodyBytes: number | null): void {
    attempt(() => {
      if (bodyBytes === null) {
        this.exchange.respond(200, HEAVY);
        this.response = 'head';
      } else {
        this.exchange.respond(200, {}, pattern(~this.id, 0, bodyBytes));
        this.offeredBytes = this.#isHead ? 0 : bodyBytes;
        this.response = 'ended';
      }
    });
  }

  /** What is written in answer to HEAD goes nowhere. */
  get #isHead(): boolean {
    return this.exchange.request.method === 'HEAD';
  }

  write(size: number): void {
    const bytes = this.#isHead ? 0 : size;
    const chunk = pattern(~this.id, this.offeredBytes, bytes);
    this.offeredBytes += bytes;
    this.pendingWrites++;
    this.exchange.write(chunk).then(
      () => {
        this.pendingWrites--;
        // The bytes have been copied: the application may use its buffer again.
        chunk.fill(0xdd);
      },
      (error: unknown) => {
        requireGatewayError(error);
        this.pendingWrites--;
        this.offeredBytes -= bytes;
      },
    );
  }

  end(trailers: boolean): void {
    attempt(() => {
      this.exchange.end(trailers ? { 'x-sum': String(this.offeredBytes) } : undefined);
      this.response = 'ended';
    });
  }

  reset(code: number): void {
    this.exchange.reset(code);
  }

  dispose(): void {
    void this.exchange[Symbol.asyncDispose]().then(() => {
      this.disposed = true;
    });
  }

  return(): void {
    this.over = true;
    this.returned.resolve();
  }

  fail(): void {
    this.over = true;
    this.returned.reject(new Error('the application failed'));
  }
}

function attempt(act: () => void): void {
  try {
    act();
  } catch (error) {
    requireGatewayError(error);
  }
}

/** What a gateway may throw; anything else is a bug and fails the run. */
function requireGatewayError(error: unknown): void {
  if (error instanceof Error && error.name === 'GatewayError') return;
  throw error;
}
