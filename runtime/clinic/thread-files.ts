/**
 * The files that a server started by doctor leaves about each of its threads, for the command that started
 * clinic.
 */

/** Names the folder; unset: no files are wanted. */
export const threadsVariable = 'SLUICE_CLINIC_THREADS';

/** One line of JSON per sample. */
export function samplesFile(threadId: number): string {
  return `thread-${threadId}.samples`;
}

/** The thread's own trace events. */
export function eventsFile(threadId: number): string {
  return `thread-${threadId}.traceevent`;
}
