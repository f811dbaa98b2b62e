/** The data that clinic recorded, read with its own decoders, and the data in its pages. */
import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const require = createRequire(import.meta.url);

export interface ProcessSample {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly delay: number;
  readonly cpu: number;
  readonly loopUtilization: number;
}

export interface RecordedStack {
  readonly asyncId: number;
  readonly frames: readonly { readonly functionName: string; readonly fileName: string }[];
}

export interface RecordedEvent {
  readonly pid: number;
  readonly tid: number;
  readonly cat: string;
  readonly name: string;
  readonly args: { readonly name?: string };
}

const fileOf = (data: string, what: string) => join(data, `${basename(data)}-${what}`);

/** @throws the error of clinic's decoder for a file with holes */
export function processSamples(data: string): Promise<ProcessSample[]> {
  return decoded(fileOf(data, 'processstat'), require('@clinic/doctor/format/process-stat-decoder.js'));
}

export function recordedStacks(data: string): Promise<RecordedStack[]> {
  return decoded(fileOf(data, 'stacktrace'), require('@clinic/bubbleprof/format/stack-trace-decoder.js'));
}

async function decoded<Message>(file: string, Decoder: new () => NodeJS.ReadWriteStream): Promise<Message[]> {
  const messages: Message[] = [];
  await pipeline(
    createReadStream(file),
    new Decoder(),
    new Writable({
      objectMode: true,
      write: (message: Message, _encoding, done) => {
        messages.push(message);
        done();
      },
    }),
  );
  return messages;
}

export function recordedEvents(data: string): RecordedEvent[] {
  return JSON.parse(readFileSync(fileOf(data, 'traceevent'), 'utf8')).traceEvents;
}

/** The names in flame's stacks, such as `receive file:///…/engine.ts:12:3`. */
export function flameNames(data: string): Set<string> {
  const stacks: { readonly name: string }[][] = JSON.parse(readFileSync(fileOf(data, 'samples'), 'utf8'));
  return new Set(stacks.flat().map(({ name }) => name));
}

interface HeapNode {
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children: readonly HeapNode[];
}

export function heapUrls(data: string): Set<string> {
  const urls = new Set<string>();
  const visit = ({ callFrame, children }: HeapNode) => {
    urls.add(callFrame.url);
    for (const child of children) visit(child);
  };
  visit(JSON.parse(readFileSync(data, 'utf8')).head);
  return urls;
}

/** Doctor and bubbleprof put the data into an element of their page. */
export function pageData(page: string): unknown {
  const html = readFileSync(page, 'utf8');
  const json = /<script type="application\/json" id="clinic-data">(.*?)<\/script>/s.exec(html)?.[1];
  return JSON.parse(json ?? 'null');
}
