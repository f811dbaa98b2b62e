/** Which TLS handshakes begin, which connections wait for one, and which make room, with a clock of the test's. */
import { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { AddressLine } from '../../runtime/tls/address-line.ts';
import { isForTls } from '../../runtime/tls/client-hello.ts';
import { Handshakes } from '../../runtime/tls/handshakes.ts';
import { clientHello } from './client-hello.ts';

/** A ClientHello as a client sends it: one record. */
let hello: Buffer;

test.before(async () => {
  hello = await clientHello();
});

// ---- the ClientHello

test('a ClientHello is handed to TLS when its last byte has arrived, and not before', (t) => {
  for (let length = 1; length < hello.length; length++) {
    if (isForTls(hello.subarray(0, length), 65_536)) t.fail(`at ${length} of ${hello.length}`);
  }
  t.true(isForTls(hello, 65_536));
  t.true(isForTls(Buffer.concat([hello, Buffer.from('more')]), 65_536));
});

test('the same holds in however many records it arrives (RFC 8446 section 5.1)', (t) => {
  const content = hello.subarray(5);
  for (const pieceBytes of [1, 2, 3, 100, content.length - 1]) {
    const records: Buffer[] = [];
    for (let at = 0; at < content.length; at += pieceBytes) {
      const piece = content.subarray(at, at + pieceBytes);
      records.push(Buffer.from([0x16, 3, 1, piece.length >> 8, piece.length & 0xff]), piece);
    }
    const bytes = Buffer.concat(records);
    t.true(isForTls(bytes, 65_536), `${pieceBytes}`);
    t.false(isForTls(bytes.subarray(0, -1), 65_536), `${pieceBytes}`);
  }
});

test('anything but a ClientHello is handed to TLS at once, which sends the alert', (t) => {
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n'),
    // A ClientHello of SSL 2, an alert, an empty record, a ServerHello.
    Buffer.from([0x80, 0x2e, 1, 3, 1]),
    Buffer.from([0x15, 3, 1, 0, 2, 1, 0]),
    Buffer.from([0x16, 3, 1, 0, 0]),
    Buffer.from([0x16, 3, 1, 0, 4, 2]),
  ]) {
    t.true(isForTls(bytes, 65_536), bytes.toString('hex'));
  }
});

test('a ClientHello that is, or announces to be, longer than the limit is handed to TLS at once', (t) => {
  t.true(isForTls(hello.subarray(0, 50), 50));
  t.false(isForTls(hello.subarray(0, 49), 50 + hello.length));
  t.true(isForTls(hello.subarray(0, 9), hello.length - 6), 'its length has come');
  t.false(isForTls(hello.subarray(0, 8), hello.length - 6));
});

// ---- the line

/** The order in which added members are taken. */
function takeAll(line: AddressLine<string>): string[] {
  const order: string[] = [];
  for (let next = line.take(); next !== undefined; next = line.take()) order.push(next);
  return order;
}

test('of one address the newest connection goes first', (t) => {
  const line = new AddressLine<string>();
  for (const name of ['a1', 'a2', 'a3']) line.add('a', name);
  t.deepEqual(takeAll(line), ['a3', 'a2', 'a1']);
});

test('an address that has not been served goes first, and those that have been take turns', (t) => {
  const line = new AddressLine<string>();
  for (const name of ['a1', 'a2', 'a3', 'a4']) line.add('a', name);
  line.add('b', 'b1');
  line.add('b', 'b2');
  line.add('b', 'b3');
  t.is(line.take(), 'b3');
  t.is(line.take(), 'a4');
  line.add('a', 'a5');
  line.add('c', 'c1');
  t.deepEqual(takeAll(line), ['c1', 'b2', 'a5', 'b1', 'a3', 'a2', 'a1']);
  t.is(line.size, 0);
});

test('connections that are removed leave the turns of their addresses as they were', (t) => {
  const line = new AddressLine<string>();
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'd1']) line.add(name[0] as string, name);
  t.is(line.take(), 'd1');
  t.is(line.take(), 'c1');
  t.is(line.take(), 'b2');
  line.remove((name) => name === 'a2' || name === 'b1');
  t.is(line.size, 2);
  line.add('b', 'b3');
  t.deepEqual(takeAll(line), ['b3', 'a3', 'a1']);
  line.add('a', 'a4');
  line.remove(() => true);
  t.deepEqual([line.size, line.take()], [0, undefined]);
});

// ---- turns

class Crowd {
  readonly handshakes: Handshakes;
  nowMs = 0;
  readonly #events: string[] = [];
  readonly #sockets = new Map<string, Socket>();

  constructor(t: ExecutionContext, max: number) {
    this.handshakes = new Handshakes({ max, graceMs: 2_000 }, () => this.nowMs);
    t.teardown(() => this.handshakes.close());
  }

  add(...names: readonly string[]): void {
    for (const name of names) {
      const socket = new Socket();
      this.#sockets.set(name, socket);
      this.handshakes.add(socket, '192.0.2.1', 10_000, {
        begin: () => this.#events.push(`${name} begins`),
        late: () => this.#end(name, 'is late'),
        giveWay: () => this.#end(name, 'gives way'),
      });
    }
  }

  #end(name: string, how: string): void {
    this.#events.push(`${name} ${how}`);
    this.socket(name).destroy();
  }

  over(name: string): boolean {
    return this.handshakes.over(this.socket(name));
  }

  socket(name: string): Socket {
    return this.#sockets.get(name) as Socket;
  }

  /** What happens in the next turn of the event loop. */
  async turn(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#events.splice(0);
  }
}

test('beyond max a handshake waits until another has ended', async (t) => {
  const crowd = new Crowd(t, 2);
  crowd.add('a', 'b', 'c', 'd');
  t.deepEqual(await crowd.turn(), ['d begins', 'c begins']);
  t.deepEqual([crowd.handshakes.underWay, crowd.handshakes.waiting], [2, 2]);
  t.true(crowd.over('d'));
  t.deepEqual(await crowd.turn(), ['b begins']);
  t.false(crowd.over('d'), 'it has been already');
  t.true(crowd.over('c'));
  t.true(crowd.over('b'));
  t.deepEqual(await crowd.turn(), ['a begins']);
  t.true(crowd.over('a'));
  t.deepEqual([crowd.handshakes.underWay, crowd.handshakes.waiting], [0, 0]);
});

test('the oldest handshake makes room for a new one after graceMs, and not before', async (t) => {
  const crowd = new Crowd(t, 2);
  crowd.add('a');
  await crowd.turn();
  crowd.nowMs = 1;
  crowd.add('b');
  await crowd.turn();
  crowd.nowMs = 1_999;
  crowd.add('c', 'd');
  t.deepEqual(await crowd.turn(), []);
  crowd.nowMs = 2_000;
  crowd.handshakes.look();
  t.deepEqual(await crowd.turn(), ['a gives way', 'd begins']);
  t.false(crowd.over('a'), 'whoever told it knows');
  crowd.nowMs = 2_001;
  crowd.handshakes.look();
  t.deepEqual(await crowd.turn(), ['b gives way', 'c begins']);
  crowd.nowMs = 100_000;
  crowd.handshakes.look();
  t.deepEqual(await crowd.turn(), [], 'nobody waits for their places');
});

test('bytes that were read before the turn count: a finished handshake is not forced out', async (t) => {
  const crowd = new Crowd(t, 1);
  crowd.add('a');
  await crowd.turn();
  // The event loop was held up: the timer runs first, then sockets are read.
  crowd.nowMs = 60_000;
  crowd.add('b');
  crowd.handshakes.look();
  t.true(crowd.over('a'));
  t.deepEqual(await crowd.turn(), ['b begins']);
});

test('a connection that waits too long is late, and one that has closed no longer waits', async (t) => {
  const crowd = new Crowd(t, 1);
  crowd.add('a');
  await crowd.turn();
  crowd.add('b', 'c');
  await crowd.turn();
  crowd.nowMs = 1_000;
  crowd.add('d', 'e');
  crowd.socket('c').destroy();
  crowd.socket('e').destroy();
  crowd.nowMs = 1_500;
  crowd.handshakes.look();
  t.is(crowd.handshakes.waiting, 2);
  crowd.over('a');
  t.deepEqual(await crowd.turn(), ['d begins']);
  crowd.nowMs = 10_000;
  crowd.over('d');
  crowd.handshakes.look();
  t.deepEqual(await crowd.turn(), ['b is late']);
});

test('a crowd begins in steps, and all sockets are polled in between', async (t) => {
  const crowd = new Crowd(t, 100);
  crowd.add(...Array.from({ length: 50 }, (_, n) => `${n}`));
  const turns: number[] = [];
  while (crowd.handshakes.waiting > 0) turns.push((await crowd.turn()).length);
  t.deepEqual(turns, [8, 8, 8, 8, 8, 8, 2]);
});

test('closing disconnects those that wait', async (t) => {
  const crowd = new Crowd(t, 1);
  crowd.add('a');
  await crowd.turn();
  crowd.add('b');
  crowd.handshakes.close();
  t.true(crowd.socket('b').destroyed);
  t.false(crowd.socket('a').destroyed, 'its listener does that');
  crowd.over('a');
  t.deepEqual(await crowd.turn(), []);
});
