/** A thousand clients that stop reading and a thousand uploads that nobody reads: bounded memory, and room for one more. */
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { application, type Scope } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { startProcess } from '../server/process.ts';
import { data, headers, ping, RawHttp2, requestHead } from '../server/raw-http2.ts';

const CLIENTS = 1_000;
/** A client that grants nothing is given this much by the protocol (RFC 9113 section 6.9.2). */
const PEER_WINDOW = 65_535;
const STREAM_WINDOW = 16_384;
const RESPONSE_WINDOW = 16_384;
const MEBIBYTE = 1_048_576;

interface Started {
  readonly origin: string;
  readonly residentBytes: () => number;
}

/** Resident bytes of a process (proc(5)). */
function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

async function start(t: ExecutionContext): Promise<Started> {
  const { child, listening } = startProcess(t, {
    pools: {
      stalled: {
        application: application('faults', 'stalled'),
        // What memory is measured for, the validator's copies would be part of.
        validate: false,
        threads: { min: 1, max: 1 },
        exchangesPerThread: CLIENTS + 8,
        requestWindowBytes: STREAM_WINDOW,
        responseWindowBytes: RESPONSE_WINDOW,
        maxResponseWindowBytes: RESPONSE_WINDOW,
      },
    },
    http2: { streamWindowBytes: STREAM_WINDOW },
  });
  const origin = await listening();
  // Compiled and warm before the first measurement.
  const session = await connectHttp2(t, origin);
  await Promise.all(Array.from({ length: 100 }, () => request(session, { ':path': '/hello' })));
  return { origin, residentBytes: () => residentBytes(child.pid as number) };
}

/** Connects in groups, so that the listener's backlog is not what is tested. */
async function connectAll(scope: Scope, port: number): Promise<RawHttp2[]> {
  const clients: RawHttp2[] = [];
  while (clients.length < CLIENTS) {
    const group = Array.from({ length: 50 }, () => RawHttp2.connect(scope, port, { keep: false }));
    clients.push(...(await Promise.all(group)));
  }
  return clients;
}

async function isServed(t: ExecutionContext, origin: string): Promise<void> {
  const session = await connectHttp2(t, origin);
  const { status, body } = await request(session, { ':path': '/hello' });
  t.deepEqual([status, body.toString()], [200, 'hello']);
}

test.serial(
  '1,000 stalled readers of an endless response hold their windows and no more; the 1,001st client is served',
  async (t) => {
    const { origin, residentBytes: measure } = await start(t);
    const before = measure();
    const clients = await connectAll(t, Number(new URL(origin).port));
    await Promise.all(
      clients.map((client) => {
        const full = new Promise<void>((resolve) => {
          client.onFrame = () => {
            if (client.dataBytes >= PEER_WINDOW) resolve();
          };
        });
        client.send(headers(1, requestHead('GET', '/endless'), true));
        return full;
      }),
    );
    await isServed(t, origin);
    for (const { dataBytes } of clients) t.is(dataBytes, PEER_WINDOW);
    const session = await connectHttp2(t, origin);
    const written = Number((await request(session, { ':path': '/written' })).body.toString());
    const bound = CLIENTS * (PEER_WINDOW + RESPONSE_WINDOW);
    t.true(written <= bound, `${written} bytes were written, the windows hold ${bound}`);
    const grown = measure() - before;
    // The queues by their windows, and as much again as that for connections, streams and exchanges.
    const allowed = CLIENTS * RESPONSE_WINDOW * 2 + 96 * MEBIBYTE;
    t.true(grown <= allowed, `the server grew by ${grown} bytes, allowed are ${allowed}`);
  },
);

test.serial(
  '1,000 uploads that nobody reads hold their windows and no more; the 1,001st client is served',
  async (t) => {
    const { origin, residentBytes: measure } = await start(t);
    const before = measure();
    const clients = await connectAll(t, Number(new URL(origin).port));
    const content = Buffer.alloc(STREAM_WINDOW, 'x');
    let updates = 0;
    await Promise.all(
      clients.map((client) => {
        const taken = new Promise<void>((resolve) => {
          client.onFrame = ({ type, streamId, flags }) => {
            if (type === FrameType.WindowUpdate && streamId === 1) updates++;
            if (type === FrameType.Ping && flags === 1) resolve();
          };
        });
        client.send(headers(1, requestHead('POST', '/unread'), false), data(1, content), ping('all sent'));
        return taken;
      }),
    );
    await isServed(t, origin);
    t.is(updates, 0);
    const grown = measure() - before;
    const allowed = CLIENTS * STREAM_WINDOW * 2 + 96 * MEBIBYTE;
    t.true(grown <= allowed, `the server grew by ${grown} bytes, allowed are ${allowed}`);
  },
);
