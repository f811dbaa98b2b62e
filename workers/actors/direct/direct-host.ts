/** The replying end of a direct channel: another thread gives this one calls, as the reactor does. */
import type { ActorThreadHandler } from '../../../wire/actors/messages.ts';
import type { ActorThreadEnd } from '../../../wire/actors/thread-end.ts';
import { CallSource } from '../call-source.ts';
import type { ActorHost } from '../host.ts';
import type { HostedCall } from '../hosted-call.ts';
import { HearsCalls } from './foreign.ts';

/** The thread that owns the channel. */
export interface DirectHostOwner {
  readonly host: ActorHost;
  onSaid(): void;
  onWake(): void;
  requestTurn(): void;
  /** The channel was severed, and its last call is over. */
  onParted(channel: DirectHost): void;
}

export class DirectHost extends HearsCalls implements ActorThreadHandler {
  readonly end: ActorThreadEnd;
  readonly source: CallSource<HostedCall>;
  readonly #owner: DirectHostOwner;

  constructor(
    number: number,
    open: (handler: DirectHost) => ActorThreadEnd,
    owner: DirectHostOwner,
    backlogBytes: number,
  ) {
    super();
    this.#owner = owner;
    this.end = open(this);
    this.source = new CallSource(
      number,
      this.end,
      () => owner.onSaid(),
      () => owner.onParted(this),
      backlogBytes,
    );
  }

  get number(): number {
    return this.source.number;
  }

  sever(): void {
    this.#owner.host.onSevered(this.source);
  }

  onDeliver(
    slot: number,
    generation: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const { host } = this.#owner;
    host.onDeliver(this.source, slot, generation, actor, flags, deadlineMs, key, bytes, start, end);
  }

  onAbort(slot: number, generation: number): void {
    this.#owner.host.onAbort(this.source, slot, generation);
  }

  onPull(slot: number, generation: number, items: number): void {
    this.#owner.host.onPull(this.source, slot, generation, items);
  }

  onInput(
    slot: number,
    generation: number,
    input: number,
    how: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.#owner.host.onInput(this.source, slot, generation, input, how, bytes, start, end);
  }

  onWake(): void {
    this.#owner.onWake();
  }

  onWritable(): void {
    this.source.outbox.flush();
    this.#owner.requestTurn();
  }

  /** The other thread has violated the grammar: its calls have no caller any more. */
  onCorrupt(): void {
    this.sever();
  }
}
