/** Ends of threads that were not caused by an error of the application. */

export const ThreadEndCode = {
  /** It did not return to its event loop. */
  Hung: 'SLUICE_THREAD_HUNG',
  /** It ended by itself: its code called `process.exit`. */
  Exited: 'SLUICE_THREAD_EXITED',
  /** Another thread had replaced it, and it did not end in time. */
  Retired: 'SLUICE_THREAD_RETIRED',
} as const;
export type ThreadEndCode = (typeof ThreadEndCode)[keyof typeof ThreadEndCode];

export class ThreadEndError extends Error {
  override readonly name = 'ThreadEndError';
  readonly code: ThreadEndCode;

  constructor(code: ThreadEndCode, message: string) {
    super(message);
    this.code = code;
  }
}
