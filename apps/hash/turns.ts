/**
 * Runs tasks one after another. A hash occupies its memory for as long as it computes, and the library
 * allocates it before it waits for anything else. Sixty requests begun together would use sixty times as much
 * memory and finish no sooner.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param signal a task whose turn comes after this has aborted does not begin
   * @throws the signal's reason, or what the task throws
   */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    // The next turn comes whatever happened to this one, whose own caller gets the error.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
