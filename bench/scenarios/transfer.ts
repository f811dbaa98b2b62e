/**
 * One large body down and one up, each over one stream: the throughput, and whether memory stays constant.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultHttp2Options } from '../../runtime/http2/options.ts';
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { CHUNK_BYTES } from '../content.ts';
import { load } from '../load.ts';
import { MemorySampler } from '../measure.ts';
import { assertUploadCounted } from '../probe.ts';

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
  const bytes = context.isQuick ? 128 * MIB : 1_024 * MIB;
  const bodyFile = join(context.directory, 'upload');
  // A sparse file, not a gigabyte on disk: the generator reads zeros at memory speed.
  writeFileSync(bodyFile, '');
  truncateSync(bodyFile, bytes);
  const warmUpFile = join(context.directory, 'warm-up');
  writeFileSync(warmUpFile, '');
  truncateSync(warmUpFile, WARM_UP.upload);
  const node = nodeHttp2();
  const contenders = [
    node,
    nodeHttp2(WINDOWS),
    sluice({
      name: 'Sluice, 1 thread',
      directory: context.directory,
      pools: {
        transfer: { application: 'transfer.ts', threads: 1, paths: ['/download/*', '/upload'] },
        hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] },
      },
    }),
  ];
  const metrics = ['MiB per second', 'RSS growth MiB'] as const;
  context.progress(' down');
  const down = await inRounds(context, contenders, metrics, (server) => measureDownload(server, bytes));
  context.progress(' up');
  const up = await inRounds(context, contenders, metrics, (server, { name }) =>
    measureUpload(server, name, bytes, bodyFile, warmUpFile),
  );
  const ours = contenders[2].name;
  const speed = [{ contender: ours, of: 'ratio', bound: 'at least', limit: 1 }] as const;
  const growth = [{ contender: ours, of: 'value', bound: 'at most', limit: GROWTH_LIMIT_MIB }] as const;
  return {
    method:
      `\`GET /download/${bytes}\` sends the body in pieces of ${CHUNK_BYTES / 1024} KiB under backpressure, ${DOWNLOADS} times in a row on one connection; \`POST /upload\` counts ` +
      'the bytes that arrive. h2load is the client of both, with windows of 1 GiB and frames of 16 KiB. `node:http2` runs with its default ' +
      `windows and with Sluice's initial ones (${WINDOWS.initialBytes / 1024} KiB a stream, ` +
      `${WINDOWS.connectionBytes / MIB} MiB a connection). ${WARM_UP.download / MIB} MiB down and ${WARM_UP.upload / MIB} MiB up come first and do not count. RSS is sampled every ` +
      '50 ms from then on; the growth is that of the highest sample.',
    comparisons: [
      {
        title: 'download',
        unit: 'MiB/s',
        baseline: node.name,
        samples: down['MiB per second'],
        targets: speed,
      },
      { title: 'upload', unit: 'MiB/s', baseline: node.name, samples: up['MiB per second'], targets: speed },
      {
        title: 'RSS growth, download',
        unit: 'MiB',
        baseline: node.name,
        samples: down['RSS growth MiB'],
        targets: growth,
      },
      {
        title: 'RSS growth, upload',
        unit: 'MiB',
        baseline: node.name,
        samples: up['RSS growth MiB'],
        targets: growth,
      },
    ],
  };
}

async function measureDownload(server: Server, bytes: number) {
  await load({
    url: `${server.origin}/download/${WARM_UP.download}`,
    connections: 1,
    streams: 1,
    requests: 1,
    timeoutSeconds: 120,
  });
  const memory = new MemorySampler(server.program.pid);
  const result = await load({
    url: `${server.origin}/download/${bytes}`,
    connections: 1,
    streams: 1,
    requests: DOWNLOADS,
    timeoutSeconds: 120,
  });
  const growthBytes = memory.stop();
  const wanted = DOWNLOADS * bytes;
  if (result.bodyBytes !== wanted) throw new Error(`expected ${wanted} body bytes, got ${result.bodyBytes}`);
  return { 'MiB per second': wanted / MIB / result.seconds, 'RSS growth MiB': growthBytes / MIB };
}

async function measureUpload(
  server: Server,
  name: string,
  bytes: number,
  bodyFile: string,
  warmUpFile: string,
) {
  await assertUploadCounted(server.origin, '/upload', 100_000, name);
  await load({
    url: `${server.origin}/upload`,
    connections: 1,
    streams: 1,
    requests: 1,
    bodyFile: warmUpFile,
    timeoutSeconds: 120,
  });
  const memory = new MemorySampler(server.program.pid);
  const result = await load({
    url: `${server.origin}/upload`,
    connections: 1,
    streams: 1,
    requests: 1,
    bodyFile,
    timeoutSeconds: 120,
  });
  const growthBytes = memory.stop();
  const answerBytes = `${bytes}\n`.length;
  if (result.bodyBytes !== answerBytes) {
    throw new Error(
      `expected an answer of ${answerBytes} bytes that counts ${bytes}, got ${result.bodyBytes} bytes`,
    );
  }
  return { 'MiB per second': bytes / MIB / result.seconds, 'RSS growth MiB': growthBytes / MIB };
}
