/** Uploads that their clients reset: credit comes back, and nothing of them is left, however many there are. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { application, type Scope, startServer, type TestServer } from '../server/harness.ts';
import { data, headers, RawHttp2, requestHead, rstStream } from '../server/raw-http2.ts';

const CANCEL = 0x8;
const RESETS = 100_000;
const CONNECTIONS = 4;
/** What each connection has open at a time. */
const BATCH = 64;
const CONTENT = Buffer.alloc(4_096, 'x');
const BATCH_BYTES = BATCH * CONTENT.length;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function start(scope: Scope): Promise<TestServer> {
  const plenty = { burst: 1_000_000_000, perSecond: 1_000_000_000 };
  return startServer(scope, {
    pools: {
      uploads: {
        application: application('faults', 'uploads'),
        // Memory is measured, and the validator keeps things of its own.
        validate: false,
        threads: { min: 1, max: 1 },
        exchangesPerThread: BATCH * CONNECTIONS,
        queue: { maxExchanges: BATCH * CONNECTIONS },
      },
    },
    http2: {
      maxConcurrentStreams: BATCH,
      // Four batches use it up, unless the bytes of streams that were reset are given back.
      connectionWindowBytes: 4 * BATCH_BYTES,
      budgets: { peerResets: plenty, provokedResets: plenty, refusedStreams: plenty },
    },
  });
}

/** One client that opens uploads in batches, waits until all are answered, or not, and resets them. */
class Resetter {
  readonly #client: RawHttp2;
  readonly #head: Buffer;
  #nextId = 1;
  #answered = 0;
  #whenAnswered: (() => void) | null = null;
  /** What the connection's window allows (RFC 9113 section 6.9.1). */
  #windowBytes = 65_535;
  #whenWindow: (() => void) | null = null;
  refused = 0;

  private constructor(client: RawHttp2, path: string) {
    this.#client = client;
    this.#head = requestHead('POST', path);
    client.onFrame = ({ type, streamId, payload }) => {
      if (type === FrameType.RstStream) this.refused++;
      if (type === FrameType.WindowUpdate && streamId === 0) {
        this.#windowBytes += payload.readUInt32BE(0);
        if (this.#windowBytes >= BATCH_BYTES) this.#whenWindow?.();
      }
      if (type !== FrameType.Headers) return;
      this.#answered++;
      if (this.#answered === BATCH) this.#whenAnswered?.();
    };
  }

  static async connect(scope: Scope, port: number, path: string): Promise<Resetter> {
    return new Resetter(await RawHttp2.connect(scope, port, { keep: false }), path);
  }

  async batch(waits: boolean): Promise<void> {
    if (this.#windowBytes < BATCH_BYTES) {
      await new Promise<void>((resolve) => {
        this.#whenWindow = resolve;
      });
    }
    this.#windowBytes -= BATCH_BYTES;
    const ids = Array.from({ length: BATCH }, (_, index) => this.#nextId + 2 * index);
    this.#nextId += 2 * BATCH;
    this.#answered = 0;
    const begun = new Promise<void>((resolve) => {
      this.#whenAnswered = resolve;
    });
    this.#client.send(...ids.flatMap((id) => [headers(id, this.#head, false), data(id, CONTENT)]));
    if (waits) await begun;
    this.#client.send(...ids.map((id) => rstStream(id, CANCEL)));
  }
}

/** Bytes of the reactor's own heap in use, after the garbage has gone. */
function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

test.serial(
  `${RESETS} uploads reset by their clients leave no stream, slot, credit or memory behind`,
  async (t) => {
    const { port } = await start(t);
    const clients = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => Resetter.connect(t, port, '/begin')),
    );
    const perClient = Math.ceil(RESETS / CONNECTIONS / BATCH);
    const run = (client: Resetter, batches: number) =>
      (async () => {
        // Every other batch is reset before anybody can have begun it.
        for (let index = 0; index < batches; index++) await client.batch(index % 2 === 0);
      })();
    const warmUp = Math.ceil(perClient / 10);
    await Promise.all(clients.map((client) => run(client, warmUp)));
    const handles = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
    const before = heapBytes();
    await Promise.all(clients.map((client) => run(client, perClient - warmUp)));
    // A slot that leaked, a stream that the engine still counts, or a window that was not given back would stop this.
    await Promise.all(clients.map((client) => client.batch(true)));
    t.is(
      clients.reduce((sum, { refused }) => sum + refused, 0),
      0,
    );
    t.is(process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length, handles);
    const grown = heapBytes() - before;
    t.true(grown < 8 * 1_048_576, `the heap grew by ${grown} bytes`);

    const answer = await fetch(`http://127.0.0.1:${port}/open`);
    const { begun, open, aborted } = (await answer.json()) as {
      begun: number;
      open: number;
      aborted: number;
    };
    t.true(begun > 0);
    t.true(open <= CONNECTIONS * BATCH + 1, `${open} are open`);
    t.is(aborted + open, begun, 'whatever is over was aborted');
  },
);

test.serial(
  'a signal aborts with the code of the reset, by the peer, and closed says the same',
  async (t) => {
    const { port } = await start(t);
    const client = await RawHttp2.connect(t, port);
    for (const [index, code] of [0x0, CANCEL, 0x2, 0xffff_ffff].entries()) {
      const id = 2 * index + 1;
      client.send(headers(id, requestHead('POST', `/ends?code=${code}`), false), data(id, CONTENT));
      await client.untilFrame(FrameType.Headers, id);
      client.send(rstStream(id, code));
      const told = await fetch(`http://127.0.0.1:${port}/ended?code=${code}`);
      t.deepEqual(await told.json(), {
        closed: { by: 'peer', how: 'reset', code },
        reason: { code: 'SLUICE_EXCHANGE_CLOSED', closedBy: 'peer', resetCode: code },
        body: 'SLUICE_EXCHANGE_CLOSED',
      });
    }
  },
);
