/** One stream's receive window: what the peer may send, and how fast it uses that. */
import { Window } from '../../wire/window.ts';

export class ReceiveWindow extends Window {
  /** The window's value when everything has been given back. */
  sizeBytes: number;
  /** The part of `sizeBytes` that was lent from the room that the connection's streams share. */
  lentBytes = 0;
  /** Consumed bytes that no WINDOW_UPDATE has given back yet. */
  unreturnedBytes = 0;
  /** When the last WINDOW_UPDATE was written; -1: never. */
  updatedAtMs = -1;

  constructor(sizeBytes: number) {
    super(sizeBytes);
    this.sizeBytes = sizeBytes;
  }
}
