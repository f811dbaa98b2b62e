/**
 * Sockets whose first bytes have not yet shown what they are. Each has until one deadline, however many bytes it
 * drips meanwhile.
 */
import type { Socket } from 'node:net';

/** `known`: the bytes tell, and `enter` is called with all of them. `refused`: the socket is destroyed. */
export type Verdict = 'more' | 'known' | 'refused';

/** What a socket is asked while it waits. */
export interface Question {
  examine(seen: Buffer): Verdict;
  /** The socket is the callee's from here on; `seen` has been read off it. */
  enter(socket: Socket, seen: Buffer): void;
}

export class WaitingRoom {
  /** May be changed: those who wait keep theirs. */
  timeoutMs: number;
  readonly #onLate: (socket: Socket) => void;
  /** Socket → what takes it out of the room. */
  readonly #waiting = new Map<Socket, () => void>();

  /** @param onLate hears of those whose time is up, before they go */
  constructor(timeoutMs: number, onLate: (socket: Socket) => void) {
    this.timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @param seen what has been read of the socket already */
  wait(socket: Socket, seen: Buffer, question: Question): void {
    if (seen.length > 0 && this.#decide(socket, seen, question, () => {})) return;
    let all = seen;
    const leave = (): void => {
      this.#waiting.delete(socket);
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('error', onGone);
      socket.off('end', onGone);
      socket.off('close', onGone);
    };
    const onGone = (): void => {
      leave();
      socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      all = all.length === 0 ? chunk : Buffer.concat([all, chunk]);
      this.#decide(socket, all, question, leave);
    };
    const timer = setTimeout(() => {
      this.#onLate(socket);
      onGone();
    }, this.timeoutMs);
    this.#waiting.set(socket, onGone);
    socket.on('data', onData);
    socket.on('error', onGone);
    socket.on('end', onGone);
    socket.on('close', onGone);
  }

  #decide(socket: Socket, seen: Buffer, question: Question, leave: () => void): boolean {
    const verdict = question.examine(seen);
    if (verdict === 'more') return false;
    leave();
    if (verdict === 'known') question.enter(socket, seen);
    else socket.destroy();
    return true;
  }

  /** Sends everybody away. */
  close(): void {
    for (const onGone of [...this.#waiting.values()]) onGone();
  }
}
