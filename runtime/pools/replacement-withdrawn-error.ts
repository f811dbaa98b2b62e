/**
 * A replacement was ended by something else that replaces the pool's threads, such as a reload. Nothing failed, and the thread that it was for is
 * not the caller's to end any more.
 */
export class ReplacementWithdrawnError extends Error {
  override readonly name = 'ReplacementWithdrawnError';

  constructor(thread: string) {
    super(`thread ${thread}: its replacement was ended, because a reload replaces the pool's threads`);
  }
}
