/**
 * How TLS ends (RFC 9112 section 9.8): which ends of the server's come with a closure alert, and what a client's
 * end without one means. A relay between client and server shows the records. Up to TLS 1.2 the type of a
 * record can be read.
 */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test from 'ava';
import { startHttp1Server } from '../http1/server.ts';
import { FileScope, type Scope, type TestServer } from '../server/harness.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { TestAuthority, TestFiles } from './authority.ts';

/** Types of records (RFC 5246 section 6.2.1). */
const ALERT = 21;
const APPLICATION_DATA = 23;
const RECORD_HEAD_BYTES = 5;

const scope = new FileScope();
let authority: TestAuthority;
let server: TestServer;
let port: number;

test.before(async () => {
  authority = await TestAuthority.create();
  const issued = await authority.issue({ names: ['localhost'] });
  const certificates = [new TestFiles(scope).certificate('server', issued)];
  server = await startHttp1Server(scope, { listeners: [{ address: '127.0.0.1:0', tls: { certificates } }] });
  const line = server.log.find('listening on https');
  port = Number(String(line?.address).split(':').at(-1));
});
test.after.always(() => scope.end());

/** A client over TLS, and what the server has sent it, record by record. */
class RelayedClient {
  readonly socket: TLSSocket;
  readonly #upstream: Socket;
  #received = Buffer.alloc(0);
  text = '';
  /** The first error of the client's TLS, such as an alert that is fatal. */
  error: Error | null = null;
  /** The server has closed its side. */
  readonly ended: Promise<unknown>;

  private constructor(socket: TLSSocket, upstream: Socket) {
    this.socket = socket;
    this.#upstream = upstream;
    upstream.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.ended = new Promise((resolve) => {
      for (const event of ['end', 'close']) upstream.once(event, resolve);
    });
    socket.on('error', (error) => {
      this.error ??= error;
    });
    socket.setEncoding('latin1').on('data', (text) => {
      this.text += text;
    });
  }

  static async connect(t: Scope, ALPNProtocols: string[] = ['http/1.1']): Promise<RelayedClient> {
    const upstream = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    const relay = createServer({ allowHalfOpen: true }, (downstream) => {
      downstream.pipe(upstream).pipe(downstream);
      downstream.on('error', () => undefined);
      t.teardown(() => downstream.destroy());
    });
    upstream.on('error', () => undefined);
    t.teardown(() => {
      upstream.destroy();
      relay.close();
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const socket = connectTls({
      port: (relay.address() as AddressInfo).port,
      host: '127.0.0.1',
      ca: authority.cert,
      servername: 'localhost',
      maxVersion: 'TLSv1.2',
      ALPNProtocols,
    });
    t.teardown(() => socket.destroy());
    const client = new RelayedClient(socket, upstream);
    await once(socket, 'secureConnect');
    return client;
  }

  send(...lines: readonly string[]): void {
    this.socket.write(lines.join('\r\n'), 'latin1');
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this.socket, 'data');
  }

  /** A FIN without a closure alert before it. */
  cut(): void {
    this.#upstream.end();
  }

  /** The types of the server's records. */
  get records(): number[] {
    const types: number[] = [];
    for (let at = 0; at < this.#received.length; ) {
      types.push(this.#received[at] as number);
      at += RECORD_HEAD_BYTES + this.#received.readUInt16BE(at + 3);
    }
    return types;
  }
}

for (const [what, alpn, sent] of [
  ['a response that says close', 'http/1.1', 'GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['a refusal', 'http/1.1', 'GET /hello HTTP/1.1\r\n\r\n'],
  ['a response that ends with its connection', 'http/1.1', 'GET /stream HTTP/1.0\r\n\r\n'],
  ['a GOAWAY', 'h2', 'GET / HTTP/1.1\r\n\r\n'],
] as const) {
  test(`RFC 9112 section 9.8: the server sends a closure alert after ${what}`, async (t) => {
    const client = await RelayedClient.connect(t, [alpn]);
    client.send(sent);
    await client.ended;
    t.is(client.records.at(-1), ALERT);
    t.is(client.records.filter((type) => type === ALERT).length, 1);
    t.is(client.error, null);
  });
}

test('RFC 9112 section 9.8: a response that would end with its connection, and is broken off, gets no closure alert', async (t) => {
  const client = await RelayedClient.connect(t);
  const begun = server.signals.until('begun');
  client.send('GET /cut HTTP/1.0', `${SIGNALS_FIELD}: ${server.signals.name}`, '', '');
  await begun;
  await client.until('one');
  server.signals.tell('go');
  await client.ended;
  t.is(client.records.at(-1), APPLICATION_DATA);
  t.false(client.records.includes(ALERT));
});

for (const [what, end] of [
  ['with a closure alert', (client: RelayedClient) => void client.socket.end()],
  ['without one', (client: RelayedClient) => client.cut()],
] as const) {
  test.serial(
    `RFC 9112 section 9.8: content is complete by its framing alone: a client ends ${what}`,
    async (t) => {
      const client = await RelayedClient.connect(t);
      const { signals } = server;
      const [read, over] = [signals.until('read 5'), signals.until('closed reset by peer code 8')];
      client.send(
        ...['POST /read HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked'],
        ...[`${SIGNALS_FIELD}: ${signals.name}`, '', '5', 'hello', ''],
      );
      await read;
      end(client);
      await over;
      await client.ended;
      t.pass();
    },
  );
}
