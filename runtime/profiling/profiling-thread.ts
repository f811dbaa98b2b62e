/**
 * A thread of the server that lives as long as one profile. It inspects the other threads and passes their
 * profiles to the command, over a Unix domain socket of its own beside the control socket. So neither parsing
 * nor sending takes the reactor's time.
 *
 * It ends with the profile. If the command goes away, the profile ends too.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { Collection, monotonicUs, samplingIntervalUs } from './collection.ts';
import { encodeFrame } from './frames.ts';
import type { EndReason, Frame, FromProfiling, ProfilingBoot, ToProfiling } from './messages.ts';
import { SnapshotCourier } from './snapshot-courier.ts';

/** How long the command may take to connect; it knows where and has nothing else to do. */
const CONNECT_MS = 10_000;
/** A command that reads nothing for this long counts as gone. */
const STALLED_MS = 30_000;
/**
 * How long the reactor may take to send its exchanges, or the thread to begin the last piece of its snapshot.
 */
const LAST_PATIENCE_MS = 5_000;

const port = parentPort as NonNullable<typeof parentPort>;
const { request, limits, socketPath, threads } = workerData as ProfilingBoot;

class Profile {
  readonly #collection: Collection | null;
  #socket: Socket | null = null;
  #courier: SnapshotCourier | null = null;
  #state: 'waiting' | 'running' | 'ending' | 'ended' = 'waiting';
  #timer: NodeJS.Timeout | null = null;
  #sentBytes = 0;
  readonly #exchanges = Promise.withResolvers<void>();

  constructor() {
    const sink = { send: (head: Frame, bytes?: Uint8Array) => this.send(head, bytes) };
    this.#collection =
      request.kind === 'heap-snapshot' ? null : new Collection(request, limits, threads, threadId, sink);
  }

  begin(socket: Socket): void {
    this.#socket = socket;
    this.#state = 'running';
    // Anything that the command sends asks for an early end.
    socket.on('data', () => this.end('asked'));
    // 'close' reports it as well.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#leave());
    this.#watch(socket);
    this.send({
      type: 'started',
      pid: process.pid,
      kind: request.kind,
      node: process.version,
      startUs: monotonicUs(),
      wallClockMs: Date.now(),
      intervalUs: samplingIntervalUs(request.durationMs, limits.maxSamplesPerThread),
      durationMs: request.durationMs,
    });
    tell({ type: 'began' });
    if (this.#collection === null) return;
    this.#collection.start().then(
      () => this.#limitTime(),
      (error: unknown) => {
        this.send({ type: 'problem', threadId: 0, what: `no thread can be inspected: ${error}` });
        this.end('asked');
      },
    );
  }

  #limitTime(): void {
    if (this.#state !== 'running') return;
    this.#timer = setTimeout(() => this.end('time'), request.durationMs);
  }

  hear(message: ToProfiling): void {
    switch (message.type) {
      case 'began':
        this.#collection?.onName(message.thread);
        break;
      case 'ending':
        void this.#finishThread(message.threadId);
        break;
      case 'gone':
        this.#collection?.onCause(message.threadId, message.cause);
        this.#courier?.lose(message.cause);
        break;
      case 'end':
        if (this.#state === 'waiting') this.#leave();
        else this.end(message.reason);
        break;
      case 'exchanges':
        this.send({ type: 'exchanges' }, Buffer.from(JSON.stringify(message.table)));
        this.#exchanges.resolve();
        break;
      case 'snapshot':
        this.#courier = new SnapshotCourier(message.port, this.#socket as Socket, {
          canSend: (bytes) => this.#canSend(bytes),
          onDone: (reason) => void this.#finish(reason),
          send: (head, bytes) => this.send(head, bytes),
        });
        break;
      case 'snapshot-failed':
        this.send({ type: 'problem', threadId: 0, what: message.why });
        void this.#finish('asked');
        break;
    }
  }

  async #finishThread(threadId: number): Promise<void> {
    if (this.#state === 'running' || this.#state === 'ending') await this.#collection?.onEnding(threadId);
    tell({ type: 'finished', threadId });
  }

  send(head: Frame, bytes: Uint8Array = NO_BYTES): void {
    const socket = this.#socket;
    if (socket === null || socket.destroyed) return;
    if (bytes.length > 0 && !this.#canSend(bytes.length)) return;
    const [start, rest] = encodeFrame(head, bytes);
    this.#sentBytes += start.length + rest.length;
    socket.write(start);
    if (rest.length > 0) socket.write(rest);
  }

  #canSend(bytes: number): boolean {
    if (this.#sentBytes + bytes <= limits.maxBytes) return true;
    this.end('bytes');
    return false;
  }

  end(reason: EndReason): void {
    if (this.#state !== 'running') return;
    this.#state = 'ending';
    if (this.#timer !== null) clearTimeout(this.#timer);
    void this.#end(reason);
  }

  async #end(reason: EndReason): Promise<void> {
    if (this.#collection === null) {
      this.#courier?.close();
    } else {
      await this.#collection.end();
      tell({ type: 'sampled' });
      const timer = setTimeout(() => this.#exchanges.resolve(), LAST_PATIENCE_MS);
      await this.#exchanges.promise;
      clearTimeout(timer);
    }
    await this.#finish(reason);
  }

  /** Sends everything but the end. */
  async #finish(reason: EndReason): Promise<void> {
    const socket = this.#socket;
    if (this.#state === 'ended' || socket === null) return;
    this.#state = 'ended';
    this.send({ type: 'end', reason, endUs: monotonicUs() });
    socket.end(() => socket.destroy());
  }

  /** Gives up on a command that has stopped reading. */
  #watch(socket: Socket): void {
    let writtenBytes = -1;
    const timer = setInterval(() => {
      const written = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength > 0 && written === writtenBytes) socket.destroy();
      writtenBytes = written;
    }, STALLED_MS);
    socket.on('close', () => clearInterval(timer));
  }

  /** The command has received everything, or has gone, or never connected. */
  #leave(): void {
    this.#state = 'ended';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#collection?.close();
    this.#courier?.close();
    rmSync(socketPath, { force: true });
    tell({ type: 'done' });
    port.close();
  }
}

const NO_BYTES = new Uint8Array(0);

function tell(message: FromProfiling): void {
  port.postMessage(message);
}

const profile = new Profile();
port.on('message', (message: ToProfiling) => profile.hear(message));

const patience = setTimeout(() => profile.hear({ type: 'end', reason: 'time' }), CONNECT_MS);
const server = createServer((socket) => {
  clearTimeout(patience);
  server.close();
  rmSync(socketPath, { force: true });
  profile.begin(socket);
});
server.maxConnections = 1;
server.on('error', (error) => {
  clearTimeout(patience);
  tell({ type: 'failed', why: error.message });
  port.close();
});
server.listen(socketPath, () => {
  chmodSync(socketPath, 0o600);
  tell({ type: 'listening' });
});
