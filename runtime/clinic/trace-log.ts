/**
 * Reduces the log of trace events that doctor and bubbleprof read to the events of this thread.
 *
 * V8 and Node log the events of every thread into one file, and both tools treat them as one thread's. doctor
 * shows every thread's garbage collection as the main thread's. bubbleprof joins asynchronous operations of
 * different threads that have the same number, until nothing is left of them. So at the end of the process
 * the log is flushed and replaced.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createTracing } from 'node:trace_events';
import { optionValue } from './injected.ts';

const defaultPattern = 'node_trace.$' + '{rotation}.log';
const HEAD = '{"traceEvents":[';
const TAIL = ']}';
/** This cannot occur inside an event, because quotes in its texts are escaped. */
const NEXT_EVENT = ',{"pid":';
/** The thread's number lies within this many characters of an event. */
const IDS_CHARS = 64;

/**
 * Must be called at the end of the process: what is logged afterwards is lost.
 * @param options NODE_OPTIONS, which may contain the names of the files
 * @param workers takes the events of each worker thread, as a log of its own
 */
export function keepMainThreadsEvents(
  options: string,
  directory: string,
  workers?: (threadId: number, log: Buffer) => void,
): void {
  flush();
  const files = logFiles(options, directory);
  const logs = files.map((file) => readFileSync(file));
  const names = new Map(logs.flatMap((log) => [...threadNames(log)]));
  for (const [index, log] of logs.entries()) {
    const file = files[index] as string;
    // Node continues to write to the earlier file, which no longer has a name.
    writeFileSync(
      `${file}.part`,
      eventsOf(log, (thread) => !isWorker(names.get(thread))),
    );
    renameSync(`${file}.part`, file);
  }
  if (workers === undefined) return;
  for (const [thread, name] of names) {
    const threadId = /^\[worker (\d+)\]/.exec(name)?.[1];
    const [log] = logs;
    if (threadId === undefined || log === undefined) continue;
    workers(
      Number(threadId),
      eventsOf(log, (other) => other === thread),
    );
  }
}

/** Node writes everything that it has when the set of traced events changes. */
function flush(): void {
  createTracing({ categories: ['node.environment'] }).enable();
}

function logFiles(options: string, directory: string): string[] {
  const pattern = optionValue(options, '--trace-event-file-pattern') ?? defaultPattern;
  const path = resolve(directory, pattern.replaceAll('$' + '{pid}', String(process.pid)));
  const [start = '', end = ''] = basename(path).split('$' + '{rotation}');
  const isLog = (name: string) =>
    name.startsWith(start) &&
    name.endsWith(end) &&
    /^\d+$/.test(name.slice(start.length, name.length - end.length));
  return readdirSync(dirname(path))
    .filter(isLog)
    .map((name) => join(dirname(path), name));
}

function isWorker(name: string | undefined): boolean {
  return name?.startsWith('[worker ') === true;
}

/** Names by the number that the system has given the thread. Node logs them when it flushes. */
function threadNames(log: Buffer): Map<number, string> {
  const names = new Map<number, string>();
  const wanted = '"name":"thread_name"';
  for (let at = log.indexOf(wanted); at !== -1; at = log.indexOf(wanted, at + wanted.length)) {
    const start = log.lastIndexOf('{"pid":', at);
    const end = log.indexOf(NEXT_EVENT, at);
    const text = log.toString('utf8', start, end === -1 ? log.length : end);
    const [, thread, name] = /^\{"pid":\d+,"tid":(\d+),.*"args":\{"name":"(.*?)"\}\}/s.exec(text) ?? [];
    if (thread !== undefined && name !== undefined) names.set(Number(thread), name);
  }
  return names;
}

/** Works on bytes, because a whole log may exceed the length of a string. */
function eventsOf(log: Buffer, isWanted: (thread: number) => boolean): Buffer {
  const kept = Buffer.allocUnsafe(log.length + HEAD.length + TAIL.length);
  let length = kept.write(HEAD);
  let start = log.indexOf('{"pid":');
  while (start !== -1) {
    const next = log.indexOf(NEXT_EVENT, start);
    const ids = log.toString('latin1', start, start + IDS_CHARS);
    const thread = /^\{"pid":\d+,"tid":(\d+),/.exec(ids)?.[1];
    if (thread !== undefined && isWanted(Number(thread))) {
      if (length > HEAD.length) length += kept.write(',', length);
      const end = next === -1 ? endOfLast(log) : next;
      length += log.copy(kept, length, start, end);
    }
    start = next === -1 ? -1 : next + 1;
  }
  length += kept.write(TAIL, length);
  return kept.subarray(0, length);
}

/** A log that Node is still writing has no end mark; a complete one does. */
function endOfLast(log: Buffer): number {
  const isEnded = log.toString('latin1', log.length - TAIL.length) === TAIL && log.at(-3) === 0x7d;
  return isEnded ? log.length - TAIL.length : log.length;
}
