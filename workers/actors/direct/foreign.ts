/**
 * Refuses messages that only the reactor may send or receive: on a direct channel they are a violation, and end the
 * channel.
 */
import { corrupt } from '../../../wire/decoder.ts';

function foreign(): never {
  throw corrupt('a message between two threads', 'one for the reactor');
}

/** For the end that gives calls, which only receives replies. */
export abstract class HearsReplies {
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

/** For the end that replies to calls, which only receives calls. */
export abstract class HearsCalls {
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
