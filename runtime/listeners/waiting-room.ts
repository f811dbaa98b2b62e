/**
 * Sockets whose first bytes do not show yet what they are. Each has one deadline, however slowly its bytes
 * arrive.
 */
import type { Socket } from 'node:net';

/** `known`: the bytes suffice, and `enter` is called with all of them. `refused`: the socket is destroyed. */
export type Verdict = 'more' | 'known' | 'refused';

/** Examines a socket while it waits. */
export interface Question {
  examine(seen: Buffer): Verdict;
  /** From here on the socket belongs to the callee; `seen` has been read from it. */
  enter(socket: Socket, seen: Buffer): void;
}

export class WaitingRoom {
  /** May be changed; sockets that wait keep their deadline. */
  timeoutMs: number;
  readonly #onLate: (socket: Socket) => void;
  /** Socket → the function that takes it out of the room. */
  readonly #waiting = new Map<Socket, () => void>();

  /** @param onLate is called with sockets whose time is up, before they are removed */
  constructor(timeoutMs: number, onLate: (socket: Socket) => void) {
    this.timeoutMs = timeoutMs;
    this.#onLate = onLate;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @param seen what was already read from the socket */
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

  /** Ends the wait of all sockets. */
  close(): void {
    for (const onGone of [...this.#waiting.values()]) onGone();
  }
}
