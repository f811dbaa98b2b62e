/**
 * `sluice doctor` and `bubbleprof`: clinic starts the server and makes the reactor's page. doctor's pages of threads
 * are made from the files that the threads have written.
 */
import { basename, join } from 'node:path';
import { makeDoctorFolders } from '../clinic/doctor-threads.ts';
import type { ClinicTool } from '../clinic/injected.ts';
import { visualize } from '../clinic/visualize.ts';
import type { ServerStatus } from '../status/status-types.ts';
import type { Recording, Session } from './clinic-session.ts';

/** Each takes clinic some seconds, and nobody looks at more. The data of the others are there. */
const MOST_THREAD_PAGES = 8;

export async function recordByClinic(tool: ClinicTool, session: Session): Promise<Recording> {
  if (tool !== 'doctor' && tool !== 'bubbleprof')
    throw new Error(`expected one of clinic's own, got ${tool}`);
  const { run, given, clinic, folder } = session;
  await run.start(given.startWords, { tool, clinic, output: folder.path });
  return {
    finish: async (after) => {
      await run.stop();
      const data = join(folder.path, `reactor.clinic-${tool}`);
      const files = [`${data}.html`];
      const notes: string[] = [];
      if (tool === 'doctor') await addThreads(session, after, data, files, notes);
      for (const file of files) folder.keepToOneself(file);
      return { files, notes };
    },
  };
}

async function addThreads(
  { given, clinic, run, folder }: Session,
  { pools }: ServerStatus,
  reactorData: string,
  files: string[],
  notes: string[],
): Promise<void> {
  const threads = pools
    .filter(({ name }) => given.pool === undefined || name === given.pool)
    .flatMap(({ threads: own }) => own)
    // The busiest first.
    .sort((a, b) => b.loop.activeMs - a.loop.activeMs);
  const made = await makeDoctorFolders(clinic, threads, run.threadsFolder, reactorData, folder.path);
  for (const { name, data } of made.slice(0, MOST_THREAD_PAGES)) {
    const failure = await visualize(clinic, 'doctor', data);
    if (failure === null) files.push(`${data}.html`);
    else notes.push(`${name}: clinic made no page: ${failure}`);
  }
  const others = made.slice(MOST_THREAD_PAGES).map(({ data }) => basename(data));
  if (others.length > 0) {
    notes.push(`no page yet of ${others.join(', ')}: \`npx clinic doctor --visualize-only\` makes one`);
  }
}
