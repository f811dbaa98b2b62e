/** Writes what was collected, and describes it. */
import { basename } from 'node:path';
import { findClinic } from '../clinic/installed.ts';
import { clinicFlameFiles, clinicHeapProfile } from './clinic-data.ts';
import { renderWithClinic } from './clinic-viewer.ts';
import type { Collected, CollectedThread } from './collected.ts';
import { type CallTree, toCpuProfile } from './cpu-profile.ts';
import { mergedPage } from './merged-page.ts';
import { ownerOf } from './owners.ts';
import { Owner } from './page/data.ts';
import type { ProfileFolder } from './profile-folder.ts';

export interface ReportOptions {
  readonly folder: ProfileFolder;
  /** The project whose clinic is used. */
  readonly directory: string;
  /** Whether clinic should make a page. */
  readonly clinic: boolean;
  /** Aborts: do not wait for clinic. */
  readonly signal: AbortSignal;
}

/** Lines for people: the files, the most useful first, and notes on them. */
export interface Report {
  readonly files: readonly string[];
  readonly notes: readonly string[];
}

/** A smaller share of a thread's time is only an occasional timer. */
const NOTHING_RAN_SHARE = 0.01;

/** @throws ProfileFolderError */
export async function writeCpuReport(collected: Collected, options: ReportOptions): Promise<Report> {
  const { folder, directory } = options;
  const sampled = collected.threads.filter((thread) => collected.treeOf(thread).runs.length > 0);
  const files = sampled.map((thread) => {
    const profile = JSON.stringify(toCpuProfile(collected.treeOf(thread)));
    return folder.write(`${fileName(thread)}.cpuprofile`, profile);
  });
  const notes = notesOf(collected);
  if (sampled.length === 0) return { files, notes: [...notes, 'no thread gave a profile'] };
  files.unshift(folder.write('profile.html', mergedPage(collected)));
  if (hasNothingRun(collected, sampled)) {
    notes.push('nothing ran: the threads were idle all the time; profile the server under load');
    return { files, notes };
  }
  const threads = sampled.map((thread) => ({ name: thread.name.name, tree: collected.treeOf(thread) }));
  const flame = clinicFlameFiles('profile', threads, directory);
  if (flame !== null) {
    const path = folder.makeFolder('profile.clinic-flame');
    for (const [name, content] of flame) folder.write(`profile.clinic-flame/${name}`, content);
    await addClinicPage('flame', path, options, files, notes);
  }
  return { files, notes };
}

/** @throws ProfileFolderError */
export async function writeHeapReport(collected: Collected, options: ReportOptions): Promise<Report> {
  const { folder } = options;
  const notes = notesOf(collected);
  const files: string[] = [];
  const threads: { readonly name: string; readonly json: string }[] = [];
  for (const thread of collected.threads) {
    const { heap, name } = thread;
    if (heap === null) {
      notes.push(`${name.name}: no profile`);
      continue;
    }
    files.push(folder.write(`${fileName(thread)}.heapprofile`, heap));
    threads.push({ name: name.name, json: heap });
  }
  if (threads.length === 0) return { files, notes };
  const path = folder.write('profile.clinic-heapprofiler', clinicHeapProfile(threads, options.directory));
  await addClinicPage('heapprofiler', path, options, files, notes);
  return { files, notes };
}

async function addClinicPage(
  tool: 'flame' | 'heapprofiler',
  data: string,
  { folder, directory, clinic, signal }: ReportOptions,
  files: string[],
  notes: string[],
): Promise<void> {
  if (!clinic) return;
  const page = await renderWithClinic(tool, data, () => findClinic(directory), signal);
  if ('missing' in page) {
    notes.push(page.missing);
    return;
  }
  folder.keepToOneself(page.path);
  files.splice(tool === 'flame' ? 1 : 0, 0, page.path);
}

/** Several threads have the same name if one replaced the other. */
function fileName({ name }: CollectedThread): string {
  return basename(name.name).replaceAll(/[^\w.-]/g, '_');
}

export function notesOf({ threads, problems, end }: Collected): string[] {
  const notes = [...problems];
  for (const { name, joined, gone, problems: own } of threads) {
    if (joined) notes.push(`${name.name}: began while the profile ran`);
    for (const problem of own) notes.push(`${name.name}: ${problem}`);
    if (gone !== null) notes.push(`${name.name}: ended while the profile ran: ${gone.cause}`);
  }
  if (end === null) notes.push('the server ended while the profile ran: this is what it had sent by then');
  else if (end.reason === 'server-stops') notes.push('the server was told to stop, which ended the profile');
  else if (end.reason === 'bytes') notes.push('the profile ended early: it reached profiling.maxBytes');
  return notes;
}

/** No exchange arrived, and no thread ran code other than the server's or Node's own. */
function hasNothingRun(collected: Collected, sampled: readonly CollectedThread[]): boolean {
  if ((collected.exchanges?.rows.length ?? 0) > 0) return false;
  return sampled.every((thread) => {
    const tree = collected.treeOf(thread);
    return applicationUsOf(tree) < NOTHING_RAN_SHARE * (tree.endUs - tree.startUs);
  });
}

function applicationUsOf({ nodes, runs }: CallTree): number {
  // Parents come before their children.
  const isUnder: boolean[] = [];
  for (const [index, { parent, callFrame }] of nodes.entries()) {
    const owner = ownerOf(callFrame);
    isUnder[index] =
      owner === Owner.Application || owner === Owner.Dependency || (index > 0 && isUnder[parent] === true);
  }
  isUnder[0] = false;
  return runs.reduce((us, { node, startUs, endUs }) => (isUnder[node] ? us + endUs - startUs : us), 0);
}
