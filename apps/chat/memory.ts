/**
 * The last lines of each room: one actor per room, which subscribes to the room's topic as its members do.
 */
import type { ActorContext, Subscription } from '../../workers/actors/actors.ts';
import { type Line, linesOf, REMEMBERED_LINES } from './lines.ts';

export class Memory {
  readonly #said: Subscription<Line>;
  readonly #lines: Line[] = [];

  constructor(room: string, _context: ActorContext) {
    this.#said = linesOf(room).subscribe();
  }

  async start(): Promise<void> {
    await this.#said.ready;
    void this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const line of this.#said) {
      this.#lines.push(line);
      if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
    }
  }

  stop(): void {
    this.#said.close();
  }

  recall(): readonly Line[] {
    return this.#lines;
  }
}
