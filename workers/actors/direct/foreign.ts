/** What only the reactor says, or is told, breaks a direct channel that it comes over. */
import type { ActorReactorHandler, ActorThreadHandler } from '../../../wire/actors/messages.ts';
import { corrupt } from '../../../wire/decoder.ts';
import type { WireError } from '../../../wire/errors.ts';

function foreign(): never {
  throw corrupt('a message between two threads', 'one for the reactor');
}

/** The end that gives calls hears of answers alone. */
export abstract class HearsAnswers implements ActorReactorHandler {
  abstract onReply(slot: number, how: number, bytes: Buffer, start: number, end: number): void;
  abstract onItem(slot: number, bytes: Buffer, start: number, end: number): void;
  abstract onWant(slot: number, input: number, items: number): void;
  abstract onWake(): void;
  abstract onWritable(): void;
  abstract onCorrupt(error: WireError): void;

  onCall(): void {
    foreign();
  }

  onUnder(): void {
    foreign();
  }

  onCancel(): void {
    foreign();
  }

  onPull(): void {
    foreign();
  }

  onInput(): void {
    foreign();
  }

  onManifest(): void {
    foreign();
  }

  onLeaving(): void {
    foreign();
  }

  onStopped(): void {
    foreign();
  }

  onRestart(): void {
    foreign();
  }

  onBack(): void {
    foreign();
  }

  onParted(): void {
    foreign();
  }

  onSubscribe(): void {
    foreign();
  }

  onUnsubscribe(): void {
    foreign();
  }

  onPublish(): void {
    foreign();
  }
}

/** The end that answers calls hears of calls alone. */
export abstract class HearsCalls implements ActorThreadHandler {
  abstract onDeliver(
    slot: number,
    generation: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  abstract onAbort(slot: number, generation: number): void;
  abstract onPull(slot: number, generation: number, items: number): void;
  abstract onInput(
    slot: number,
    generation: number,
    input: number,
    how: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  abstract onWake(): void;
  abstract onWritable(): void;
  abstract onCorrupt(error: WireError): void;

  onStop(): void {
    foreign();
  }

  onResult(): void {
    foreign();
  }

  onPart(): void {
    foreign();
  }

  onItem(): void {
    foreign();
  }

  onWant(): void {
    foreign();
  }

  onManifest(): void {
    foreign();
  }

  onLeft(): void {
    foreign();
  }

  onMeet(): void {
    foreign();
  }

  onJoined(): void {
    foreign();
  }

  onCallBack(): void {
    foreign();
  }

  onSever(): void {
    foreign();
  }

  onSubscribed(): void {
    foreign();
  }

  onEvent(): void {
    foreign();
  }
}
