/**
 * A whole server for the fuzzer, in this process: cleartext and TLS, one thread with few slots, so that an
 * exchange or a buffer that is not released is soon noticed. An honest client sends requests between all the
 * nonsense. Its answers are also the fuzzer's clock: anything that takes more round trips than a wait allows
 * hangs.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { OutputBuffers } from '../../runtime/bytes/output-buffers.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import { type Http2Options, http2Options } from '../../runtime/http2/options.ts';
import { configInput, FileScope, type ServerInput, startServer, type TestServer } from '../server/harness.ts';
import { TestAuthority, TestFiles } from '../tls/authority.ts';
import { HonestClient } from './honest-client.ts';
import { Finding } from './target.ts';

const application = fileURLToPath(new URL('applications/answer.ts', import.meta.url));
/** The number of round trips of the honest client within which an expected event must happen. */
const MOST_TURNS = 400;
const MOST_LOOPS = 5_000;

const INPUT: ServerInput = {
  pools: { answer: { application, threads: { min: 1, max: 1 }, exchangesPerThread: 64 } },
};

/** Every pool of output buffers in the process: the server has one, which is private. */
const pools = new Set<OutputBuffers>();
const { acquire } = OutputBuffers.prototype;
OutputBuffers.prototype.acquire = function (leastBytes) {
  pools.add(this);
  return acquire.call(this, leastBytes);
};

export class LiveServer {
  readonly scope = new FileScope();
  readonly #server: TestServer;
  readonly #ports: readonly [cleartext: number, tls: number];
  readonly #ca: string;
  readonly #honest: HonestClient;
  /** A case with a finding leaves its connections as they are. */
  readonly #sockets = new Set<Socket>();

  private constructor(
    server: TestServer,
    ports: readonly [number, number],
    ca: string,
    honest: HonestClient,
  ) {
    this.#server = server;
    this.#ports = ports;
    this.#ca = ca;
    this.#honest = honest;
  }

  static async start(): Promise<LiveServer> {
    const scope = new FileScope();
    const authority = await TestAuthority.create();
    const issued = await authority.issue({ names: ['localhost'] });
    const files = new TestFiles(scope);
    const server = await startServer(scope, {
      ...INPUT,
      listeners: [
        { address: '127.0.0.1:0' },
        { address: '127.0.0.1:0', tls: { certificates: [files.certificate('fuzz', issued)] } },
      ],
    });
    const [cleartext, tls] = server.log.lines
      .filter(({ msg }) => msg?.startsWith('listening on'))
      .map(({ address }) => Number(String(address).split(':').at(-1))) as [number, number];
    const honest = await HonestClient.connect(connectTcp(cleartext, '127.0.0.1'));
    const live = new LiveServer(server, [cleartext, tls], authority.cert, honest);
    live.scope.teardown(() => scope.end());
    return live;
  }

  /** The options of the server's engines. */
  get http2(): Http2Options {
    return http2Options(parseConfig(JSON.stringify(configInput(INPUT)), 'fuzz.config.json').http2);
  }

  async close(): Promise<void> {
    this.#honest.end();
    for (const socket of this.#sockets) socket.destroy();
    await this.scope.end();
  }

  connect(transport: 'tcp' | 'tls', protocol: 'h2' | 'http/1.1'): Promise<Socket> {
    const [cleartext, tls] = this.#ports;
    const isTls = transport === 'tls';
    const socket = isTls
      ? connectTls({
          port: tls,
          host: '127.0.0.1',
          servername: 'localhost',
          ca: this.#ca,
          ALPNProtocols: [protocol],
        })
      : connectTcp({ port: cleartext, host: '127.0.0.1' });
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {
      // A reset because of what was sent: 'close' follows.
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        socket.removeListener('error', reject);
        resolve(socket);
      });
    });
  }

  /** @returns whether it became true within this many of the honest client's requests. */
  async within(turns: number, isSo: () => boolean): Promise<boolean> {
    for (let turn = 0; turn < turns; turn++) {
      if (isSo()) return true;
      await this.#honest.request();
    }
    return isSo();
  }

  /** @param heard what has arrived so far, for the message */
  async until(what: string, input: Buffer, isSo: () => boolean, heard = () => ''): Promise<void> {
    if (await this.within(MOST_TURNS, isSo)) return;
    throw new Finding(`it does not come to ${what}; so far it has heard ${JSON.stringify(heard())}`, input);
  }

  /** Nothing is left of a case whose connections are closed. */
  async requireRest(input: Buffer): Promise<void> {
    await this.#honest.request();
    for (let loop = 0; heldBuffers() > 0; loop++) {
      if (loop === MOST_LOOPS) throw new Finding(`${heldBuffers()} output buffers are kept`, input);
      await setImmediate();
    }
    const { lines } = this.#server.log;
    const complaint = lines.find(({ level }) => level === 'error' || level === 'fatal');
    if (complaint !== undefined) throw new Finding(`the server logged ${JSON.stringify(complaint)}`, input);
    lines.length = 0;
  }
}

function heldBuffers(): number {
  let held = 0;
  for (const pool of pools) held += pool.heldCount;
  return held;
}

/** Sends pieces so that the server reads them separately. */
export async function sendPieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await setImmediate();
  }
}
