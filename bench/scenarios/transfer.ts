/**
 * One large body down and one up, each over one stream: the throughput, and whether memory stays constant.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultHttp2Options } from '../../runtime/http2/options.ts';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
  type Target,
} from '../comparison.ts';
import { type Contender, nodeHttp2, type Server, sluice } from '../contenders.ts';
import { CHUNK_BYTES } from '../content.ts';
import { load } from '../load.ts';
import { MemorySampler } from '../measure.ts';
import { assertUploadCounted, type Protocol } from '../probe.ts';

/** Sluice's defaults, also given to the baseline. */
const WINDOWS = {
  initialBytes: defaultHttp2Options.streamWindowBytes,
  connectionBytes: defaultHttp2Options.connectionWindowBytes,
};
const MIB = 2 ** 20;
const GROWTH_LIMIT_MIB = 64;
/**
 * Sent and discarded before each measurement: code that is compiled and memory that is allocated once must
 * not count, and speed must be the sustained one. A download transfers a gigabyte before V8 has compiled the
 * code that it runs in, on threads that need a core of their own.
 */
const WARM_UP = { download: 8_192 * MIB, upload: 1_024 * MIB };

/**
 * One after the other: a single download takes a third of a second, within which other work on the machine
 * would show.
 */
const DOWNLOADS = 8;

export const transfer: Scenario = { name: 'transfer', title: 'Large bodies over one stream', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = transferring(context);
  return {
    method:
      `${howTransferred(context)} h2load is the client of both with windows of 1 GiB and frames of 16 KiB. \`node:http2\` runs with its default ` +
      `windows and with those that Sluice begins with (${WINDOWS.initialBytes / 1024} KiB a stream, ` +
      `${WINDOWS.connectionBytes / MIB} MiB a connection). ${HOW_MEASURED}`,
    comparisons: await compareTransfers(context, [node, nodeHttp2(WINDOWS), ours], ours, 'h2'),
  };
}

/** The Sluice that sends and counts large bodies. */
export function transferring({ directory }: BenchContext): Contender {
  return sluice({
    name: 'Sluice, 1 thread',
    directory,
    pools: {
      transfer: { application: 'transfer.ts', threads: 1, paths: ['/download/*', '/upload'] },
      hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] },
    },
  });
}

function bytesOf({ isQuick }: BenchContext): number {
  return isQuick ? 128 * MIB : 1_024 * MIB;
}

export function howTransferred(context: BenchContext): string {
  return (
    `\`GET /download/${bytesOf(context)}\` sends the body in pieces of ${CHUNK_BYTES / 1024} KiB under backpressure, ${DOWNLOADS} times in a row on one connection; \`POST /upload\` counts ` +
    'what comes.'
  );
}

export const HOW_MEASURED =
  `${WARM_UP.download / MIB} MiB down and ${WARM_UP.upload / MIB} MiB up go before and are dropped. RSS is sampled every ` +
  "50 ms from then on; the growth is the highest sample's.";

/** Compares the others with the first; `best` is the contender that the targets apply to. */
export async function compareTransfers(
  context: BenchContext,
  contenders: readonly Contender[],
  best: Contender,
  protocol: Protocol,
): Promise<Comparison[]> {
  const bytes = bytesOf(context);
  const bodyFile = join(context.directory, 'upload');
  // A sparse file, not a gigabyte on disk: the generator reads zeros at memory speed.
  writeFileSync(bodyFile, '');
  truncateSync(bodyFile, bytes);
  const warmUpFile = join(context.directory, 'warm-up');
  writeFileSync(warmUpFile, '');
  truncateSync(warmUpFile, WARM_UP.upload);
  const metrics = ['MiB per second', 'RSS growth MiB'] as const;
  context.progress(' down');
  const down = await inRounds(context, contenders, metrics, (server) =>
    measureDownload(server, protocol, bytes),
  );
  context.progress(' up');
  const up = await inRounds(context, contenders, metrics, (server, { name }) =>
    measureUpload(server, protocol, name, bytes, bodyFile, warmUpFile),
  );
  const baseline = (contenders[0] as Contender).name;
  const speed = [{ contender: best.name, of: 'ratio', bound: 'at least', limit: 1 }] as const;
  const growth = [{ contender: best.name, of: 'value', bound: 'at most', limit: GROWTH_LIMIT_MIB }] as const;
  const of = (title: string, unit: string, samples: Comparison['samples'], targets: readonly Target[]) => ({
    title,
    unit,
    baseline,
    samples,
    targets,
  });
  return [
    of('download', 'MiB/s', down['MiB per second'], speed),
    of('upload', 'MiB/s', up['MiB per second'], speed),
    of('RSS growth, download', 'MiB', down['RSS growth MiB'], growth),
    of('RSS growth, upload', 'MiB', up['RSS growth MiB'], growth),
  ];
}

async function measureDownload(server: Server, protocol: Protocol, bytes: number) {
  const options = { connections: 1, streams: 1, isHttp1: protocol === 'http/1.1', timeoutSeconds: 120 };
  await load({ ...options, url: `${server.origin}/download/${WARM_UP.download}`, requests: 1 });
  const memory = new MemorySampler(server.program.pid);
  const result = await load({
    ...options,
    url: `${server.origin}/download/${bytes}`,
    requests: DOWNLOADS,
  });
  const growthBytes = memory.stop();
  const wanted = DOWNLOADS * bytes;
  if (result.bodyBytes !== wanted) throw new Error(`expected ${wanted} body bytes, got ${result.bodyBytes}`);
  return { 'MiB per second': wanted / MIB / result.seconds, 'RSS growth MiB': growthBytes / MIB };
}

async function measureUpload(
  server: Server,
  protocol: Protocol,
  name: string,
  bytes: number,
  bodyFile: string,
  warmUpFile: string,
) {
  await assertUploadCounted(server.origin, '/upload', 100_000, name, protocol);
  const shape = { connections: 1, streams: 1, requests: 1, isHttp1: protocol === 'http/1.1' };
  const options = { ...shape, url: `${server.origin}/upload`, timeoutSeconds: 120 };
  await load({ ...options, bodyFile: warmUpFile });
  const memory = new MemorySampler(server.program.pid);
  const result = await load({ ...options, bodyFile });
  const growthBytes = memory.stop();
  const answerBytes = `${bytes}\n`.length;
  if (result.bodyBytes !== answerBytes) {
    throw new Error(
      `expected an answer of ${answerBytes} bytes that counts ${bytes}, got ${result.bodyBytes} bytes`,
    );
  }
  return { 'MiB per second': bytes / MIB / result.seconds, 'RSS growth MiB': growthBytes / MIB };
}
