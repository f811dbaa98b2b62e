/** Keeps the newest log lines for `GET /logs` and passes new ones to its followers. Bounded by bytes, whatever is logged. */

/** Bytes that may wait for a follower that does not read. Further lines are dropped and counted. */
const FOLLOWER_BYTES = 262_144;

/** A client that follows the log. */
export class LogFollower {
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #whenMore: PromiseWithResolvers<void> | null = null;

  push(line: string): void {
    if (this.#waitingBytes + line.length > FOLLOWER_BYTES) this.#dropped++;
    else {
      this.#waiting.push(line);
      this.#waitingBytes += line.length;
    }
    this.wake();
  }

  wake(): void {
    this.#whenMore?.resolve();
    this.#whenMore = null;
  }

  /** All waiting lines; empty if there are none. A line of its own reports how many were dropped. */
  take(): string {
    const lines = this.#waiting.splice(0);
    this.#waitingBytes = 0;
    if (this.#dropped > 0) {
      const msg = 'log lines were left out: the follower did not read them in time';
      lines.push(`${JSON.stringify({ level: 'warn', lines: this.#dropped, msg })}\n`);
      this.#dropped = 0;
    }
    return lines.join('');
  }

  /** Resolves when `take` may return something. */
  more(): Promise<void> {
    if (this.#waiting.length > 0 || this.#dropped > 0) return Promise.resolve();
    this.#whenMore ??= Promise.withResolvers();
    return this.#whenMore.promise;
  }
}

export class LogTail {
  readonly #maxBytes: number;
  readonly #lines: string[] = [];
  /** Index of the oldest line that is kept. Lines before it are removed many at a time. */
  #from = 0;
  #bytes = 0;
  readonly #followers = new Set<LogFollower>();

  /** @param maxBytes of all kept lines; 0 keeps none */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @param line JSON, with its line break */
  push(line: string): void {
    for (const follower of this.#followers) follower.push(line);
    this.#lines.push(line);
    this.#bytes += line.length;
    while (this.#bytes > this.#maxBytes && this.#from < this.#lines.length) {
      this.#bytes -= (this.#lines[this.#from] as string).length;
      this.#lines[this.#from++] = '';
    }
    if (this.#from > 1_024 && this.#from * 2 > this.#lines.length) {
      this.#lines.splice(0, this.#from);
      this.#from = 0;
    }
  }

  /** No lines are kept, and no client follows the log. */
  get keepsNone(): boolean {
    return this.#maxBytes === 0 && this.#followers.size === 0;
  }

  /** The newest lines, oldest first. */
  newest(count: number): readonly string[] {
    return this.#lines.slice(Math.max(this.#from, this.#lines.length - count));
  }

  follow(): LogFollower {
    const follower = new LogFollower();
    this.#followers.add(follower);
    return follower;
  }

  leave(follower: LogFollower): void {
    this.#followers.delete(follower);
    follower.wake();
  }
}
