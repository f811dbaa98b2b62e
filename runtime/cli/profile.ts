/** `sluice profile`: asks a running server for a profile and writes it to a file. */
import { dirname } from 'node:path';
import { ConfigError, describeProblems } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { connectControl } from '../control/find.ts';
import { Collected } from '../profiling/collected.ts';
import type { ProfileRequest } from '../profiling/messages.ts';
import { type GrowingFile, ProfileFolder, ProfileFolderError } from '../profiling/profile-folder.ts';
import { type ProfileStream, startProfile } from '../profiling/receive.ts';
import { notesOf, type Report, writeCpuReport, writeHeapReport } from '../profiling/report.ts';
import type { AskedConfig } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { readAsked } from './invalid-config.ts';
import {
  type ProfileArguments,
  profileHelp,
  profileUsage,
  readProfileArguments,
  UsageError,
} from './profile-arguments.ts';
import { listenForInterrupts } from './profile-interrupts.ts';
import { type Environment, readSettings } from './settings.ts';

/** @param words that follow `profile` */
export async function profile(words: readonly string[], environment: Environment): Promise<number> {
  try {
    const given = readProfileArguments(words);
    if (given === null) {
      process.stdout.write(profileHelp);
      return ExitCode.Ok;
    }
    return await run(given, await readConfig(given, environment));
  } catch (error) {
    if (error instanceof UsageError) return fail(`${error.message}\n${profileUsage}`, ExitCode.ConfigWrong);
    if (error instanceof ConfigError) {
      return fail(describeProblems(error.source, error.problems), ExitCode.ConfigWrong);
    }
    if (error instanceof ControlRefusal || error instanceof ControlSocketError) {
      return fail(`${error.message} [${error.code}]`, ExitCode.Failed);
    }
    if (error instanceof ProfileFolderError) return fail(error.message, ExitCode.Failed);
    throw error;
  }
}

/** The configuration that `sluice start` would find. @throws ConfigError */
function readConfig({ config, find }: ProfileArguments, environment: Environment): Promise<AskedConfig> {
  const flags = new Map(config === undefined ? [] : [['config', [config]]]);
  const { file, overrides } = readSettings(flags, environment);
  return readAsked(file, () => loadConfig(file, overrides, []), find, say);
}

async function run(
  { request, output, clinic, find }: ProfileArguments,
  config: AskedConfig,
): Promise<number> {
  const client = await connectControl(config, find);
  const folder = new ProfileFolder(output);
  const collected = new Collected();
  let snapshot: GrowingFile | null = null;
  let stream: ProfileStream;
  try {
    stream = await startProfile(client, request, (head, bytes) => {
      collected.add(head, bytes);
      const begins = request.kind === 'heap-snapshot' ? 'started' : 'running';
      if (head.type === begins) say(announcement(request, collected));
      if (head.type !== 'snapshot') return;
      snapshot ??= folder.open(`${request.thread}.heapsnapshot`);
      snapshot.write(bytes);
    });
  } catch (error) {
    folder.removeIfEmpty();
    throw error;
  } finally {
    client.close();
  }
  const givenUp = listenForInterrupts(stream);
  try {
    await stream.done;
  } catch (error) {
    stream.cancel();
    throw error;
  } finally {
    (snapshot as GrowingFile | null)?.close();
  }
  const options = { folder, directory: dirname(config.file), clinic, signal: givenUp };
  const report =
    request.kind === 'heap-snapshot'
      ? snapshotReport(collected, snapshot)
      : request.kind === 'cpu'
        ? await writeCpuReport(collected, options)
        : await writeHeapReport(collected, options);
  folder.removeIfEmpty();
  for (const note of report.notes) say(note);
  for (const file of report.files) process.stdout.write(`${file}\n`);
  return report.files.length > 0 && collected.end !== null ? ExitCode.Ok : ExitCode.Failed;
}

function announcement({ kind, durationMs, thread }: ProfileRequest, { started }: Collected): string {
  if (kind === 'heap-snapshot') {
    return (
      `process ${started?.pid}: ${thread} stands still while its heap is written down, about a second for 100 MB, and takes as much memory ` +
      'again. The file holds whatever the thread has in its memory, secrets and personal data too.'
    );
  }
  return `process ${started?.pid} is profiled for ${durationMs / 1_000} s; Ctrl-C ends that early and writes what there is`;
}

function snapshotReport(collected: Collected, file: GrowingFile | null): Report {
  const notes = notesOf(collected);
  if (file === null) return { files: [], notes };
  const { stoodStillMs } = collected;
  if (stoodStillMs === null) {
    file.remove();
    return { files: [], notes: [...notes, 'the snapshot is not whole, so it is not kept'] };
  }
  return {
    files: [file.path],
    notes: [...notes, `the thread stood still for ${Math.round(stoodStillMs)} ms`],
  };
}

function say(text: string): void {
  process.stderr.write(`sluice: ${text}\n`);
}

function fail(text: string, code: number): number {
  say(text);
  return code;
}
