/**
 * One piece of work after another. A hash needs its memory for as long as it computes, and the library takes it before it
 * waits for other things: sixty requests begun together would hold sixty times as much and be done no sooner.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param signal work whose turn comes after it has aborted is not begun.
   * @throws the signal's reason, or what the work throws.
   */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    // The next turn comes whatever became of this one, which its own caller is told.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
