/**
 * A call to every instance of an actor (`each`). It becomes one call for each instance. Each reply goes back as
 * PART, and RESULT follows the last one.
 */
import { How } from '../../wire/actors/messages.ts';
import { UNDEFINED } from '../../wire/payload/forms.ts';

/** The thread that made the call. It receives the parts. */
export interface PartTaker {
  /** Those that are for every instance of an actor, by the thread's numbers for them. */
  readonly broadcasts: Map<number, unknown>;
  result(id: number, how: number, bytes: Uint8Array, start: number, end: number): void;
  /** What one instance replies. */
  part(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void;
}

export class Broadcast<Call> {
  readonly caller: PartTaker;
  /** The caller's number for all of it. */
  readonly id: number;
  /** Those that are not over. */
  readonly calls = new Set<Call>();
  #parts: number;

  /** @param parts so many replies come */
  constructor(caller: PartTaker, id: number, parts: number) {
    this.caller = caller;
    this.id = id;
    this.#parts = parts;
    caller.broadcasts.set(id, this);
    if (parts === 0) this.#end();
  }

  /** @param thread of the instance; empty: it has none */
  part(how: number, thread: string, key: string, bytes: Uint8Array, start: number, end: number): void {
    this.caller.part(this.id, how, thread, key, bytes, start, end);
    if (--this.#parts === 0) this.#end();
  }

  #end(): void {
    this.caller.broadcasts.delete(this.id);
    this.caller.result(this.id, How.Value, UNDEFINED, 0, UNDEFINED.length);
  }
}
