/** What a server that doctor has started leaves of each of its threads, for the command that started clinic. */

/** The folder; unset: nobody wants it. */
export const threadsVariable = 'SLUICE_CLINIC_THREADS';

/** A line of JSON for each sample. */
export function samplesFile(threadId: number): string {
  return `thread-${threadId}.samples`;
}

/** The thread's own trace events. */
export function eventsFile(threadId: number): string {
  return `thread-${threadId}.traceevent`;
}
