/** One stream's receive window: what the peer may send, and what is known about how fast that is used. */
import { Window } from '../../wire/window.ts';

export class ReceiveWindow extends Window {
  /** What the window is when all of it has been given back. */
  sizeBytes: number;
  /** The part of `sizeBytes` that was lent out of what the streams of the connection share. */
  lentBytes = 0;
  /** Consumed bytes that no WINDOW_UPDATE has given back yet. */
  owedBytes = 0;
  /** When the last WINDOW_UPDATE was written; -1: there was none. */
  updatedAtMs = -1;

  constructor(sizeBytes: number) {
    super(sizeBytes);
    this.sizeBytes = sizeBytes;
  }
}
