/**
 * h2load: how it is run and what is read from its output. Any status but 2xx, and any failed, errored or
 * timed-out request, makes the whole benchmark fail: a fast wrong response is not a result.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './processes.ts';
import { percentile } from './statistics.ts';

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly streams: number;
  /** Use HTTP/1.1, where `streams` is the number of pipelined requests. Default: HTTP/2. */
  readonly isHttp1?: boolean;
  /** Run for this many seconds. Set either this or `requests`. */
  readonly seconds?: number;
  /** Run until this many requests are done. */
  readonly requests?: number;
  /**
   * Open loop: start this many requests per second on each connection instead of keeping `streams` in flight.
   */
  readonly requestsPerSecond?: number;
  /** A file to POST with each request. */
  readonly bodyFile?: string;
  /** A directory for the log of each request's latency; without it there are no percentiles. */
  readonly latencyDirectory?: string;
  readonly timeoutSeconds?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  /** Response body bytes. */
  readonly bodyBytes: number;
  /** Latencies in milliseconds, if they were logged. */
  readonly latency: Latency | null;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const args = ['-t1', `-c${options.connections}`, `-m${options.streams}`];
  if (options.isHttp1 === true) args.push('--h1');
  if (options.seconds !== undefined) args.push(`-D${options.seconds}`);
  if (options.requests !== undefined) args.push(`-n${options.requests}`);
  if (options.requestsPerSecond !== undefined) args.push(`--rps=${options.requestsPerSecond}`);
  if (options.bodyFile !== undefined) args.push(`-d${options.bodyFile}`);
  // Two runs of different shapes may log into the directory at the same time.
  const logFile =
    options.latencyDirectory === undefined
      ? null
      : join(options.latencyDirectory, `h2load-${options.connections}-${options.streams}-${Date.now()}.tsv`);
  if (logFile !== null) args.push(`--log-file=${logFile}`);
  args.push(options.url);
  const timeoutMs = (options.timeoutSeconds ?? (options.seconds ?? 0) + 60) * 1_000;
  const output = await runProgram(`h2load ${args.join(' ')}`, 'h2load', args, timeoutMs);
  const counted = parse(output);
  if (logFile === null) return { ...counted, latency: null };
  const latency = parseLatencies(readFileSync(logFile, 'latin1'));
  rmSync(logFile);
  return { ...counted, latency };
}

function parse(output: string): Omit<LoadResult, 'latency'> {
  const finished = /finished in ([\d.]+)(s|ms|us), ([\d.]+) req\/s/.exec(output);
  const counts =
    /requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(
      output,
    );
  const status = /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output);
  const body = /headers .*, [\d.]+[A-Z]*B \((\d+)\) data/.exec(output);
  if (finished === null || counts === null || status === null || body === null) {
    throw new Error(`h2load's output was not understood:\n${output}`);
  }
  const done = Number(counts[1]);
  const bad = Number(counts[3]) + Number(counts[4]) + Number(counts[5]);
  // A timed run ends with responses in progress, whose status h2load has already counted. So there may be
  // more 2xx than requests done.
  const otherStatus = Number(status[2]) + Number(status[3]) + Number(status[4]);
  const seconds = Number(finished[1]) / { s: 1, ms: 1e3, us: 1e6 }[finished[2] as 's' | 'ms' | 'us'];
  if (done === 0 || bad > 0 || Number(counts[2]) !== done || otherStatus > 0) {
    throw new Error(`expected every request to end with 2xx:\n${counts[0]}\n${status[0]}`);
  }
  return { requests: done, requestsPerSecond: Number(finished[3]), seconds, bodyBytes: Number(body[1]) };
}

/** A line of the log has the start time in µs, the status, and the duration in µs. */
function parseLatencies(log: string): Latency {
  const milliseconds: number[] = [];
  for (const line of log.split('\n')) {
    if (line !== '') milliseconds.push(Number(line.split('\t')[2]) / 1_000);
  }
  return { p50: percentile(milliseconds, 50), p99: percentile(milliseconds, 99), count: milliseconds.length };
}
