/** What the deadlines need to know about an exchange, and what happens to an exchange that misses one. */
import { ResetBy } from '../../wire/messages.ts';
import { Deadline } from '../deadlines/counters.ts';
import { Watch } from '../deadlines/watch.ts';
import type * as contracts from './contracts.ts';
import type { ExchangeJob } from './exchange-job.ts';
import { Outcome } from './outcomes.ts';
import { ExchangeEffect, ExchangeInput, ExchangeState, isOver } from './state.ts';

/** RFC 9113 section 7. */
const CANCEL = 0x8;

/** The exchange that a watch belongs to. */
export interface WatchOwner {
  readonly transport: contracts.Transport<WatchOwner>;
  readonly destination: { readonly minRequestBytesPerSecond: number };
  readonly job: Pick<ExchangeJob, 'awaitsContent' | 'abandon'>;
  readonly progress: ExchangeState;
  /** True if the exchange carries a tunnel, whose bytes are not content, and which need not end by itself. */
  readonly isTunnel: boolean;
  readonly receivedBytes: number;
  readonly readsRequest: boolean;
  end(input: ExchangeInput, outcome: Outcome, status: number, code: number): ExchangeEffect;
  cutOff(): void;
}

export class ExchangeWatch extends Watch {
  readonly exchange: WatchOwner;

  constructor(exchange: WatchOwner) {
    super();
    this.exchange = exchange;
  }

  get receivedBytes(): number {
    return this.exchange.receivedBytes;
  }

  /** 0 for a tunnel, because only its two ends know which rate is normal. */
  get leastRequestBytesPerSecond(): number {
    return this.exchange.isTunnel ? 0 : this.exchange.destination.minRequestBytesPerSecond;
  }

  /**
   * A peer that has been sent a part of the response is in a conversation, where it may be its turn to
   * listen. Its silence counts as slowness only before the head and after the end of the response.
   */
  get isWaitingForContent(): boolean {
    const { progress, job, transport } = this.exchange;
    if (progress !== ExchangeState.OpenUnanswered && progress !== ExchangeState.OpenAnswered) return false;
    return job.awaitsContent && transport.letsContentCome(this.exchange);
  }

  get takenBytes(): number {
    return this.exchange.transport.takenBytes(this.exchange);
  }

  get hasEnd(): boolean {
    return !this.exchange.isTunnel;
  }

  /**
   * If no response has begun, the peer gets one: 408 if its request was late, 504 if the server's response
   * was.
   */
  onDeadline(deadline: Deadline): void {
    const exchange = this.exchange;
    if (isOver(exchange.progress)) return;
    if (deadline === Deadline.Drain) {
      exchange.cutOff();
      return;
    }
    const input = deadline === Deadline.ResponseRate ? ExchangeInput.Abort : ExchangeInput.Expire;
    const effect = exchange.end(input, Outcome.TimedOut, exchange.readsRequest ? 408 : 504, CANCEL);
    if (effect === ExchangeEffect.Answer) exchange.job.abandon(CANCEL, ResetBy.Server);
  }

  onFault(error: unknown): void {
    this.exchange.transport.fail(this.exchange, error);
  }
}
