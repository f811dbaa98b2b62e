/**
 * Makes a folder for each application thread, like the one that doctor writes for the main thread, so that
 * doctor can show that thread in the same way.
 */
import { copyFileSync, createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clinic } from './installed.ts';
import { eventsFile, samplesFile } from './thread-files.ts';

export interface NamedThread {
  readonly name: string;
  readonly threadId: number | null;
}

export interface ThreadData {
  readonly name: string;
  /** The argument of `clinic doctor --visualize-only`. */
  readonly data: string;
}

/**
 * @param collected what the threads have left
 * @param mainData doctor's own folder
 * @param to where the folders are made
 */
export async function makeDoctorFolders(
  clinic: Clinic,
  threads: readonly NamedThread[],
  collected: string,
  mainData: string,
  to: string,
): Promise<ThreadData[]> {
  const made: ThreadData[] = [];
  for (const { name, threadId } of threads) {
    if (threadId === null) continue;
    const samples = join(collected, samplesFile(threadId));
    const events = join(collected, eventsFile(threadId));
    if (!existsSync(samples) || !existsSync(events)) continue;
    const data = join(to, `${name}.clinic-doctor`);
    mkdirSync(data, { mode: 0o700 });
    const file = (what: string) => join(data, `${name}.clinic-doctor-${what}`);
    copyFileSync(join(mainData, `${basename(mainData)}-systeminfo`), file('systeminfo'));
    copyFileSync(events, file('traceevent'));
    const Encoder = clinic.require('@clinic/doctor/format/process-stat-encoder.js');
    await pipeline(Readable.from(samplesOf(samples)), new Encoder(), createWriteStream(file('processstat')));
    made.push({ name, data });
  }
  return made;
}

/** The last line may be incomplete. */
function samplesOf(file: string): unknown[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}
