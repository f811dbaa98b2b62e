/**
 * A client that opens connections and leaves them idle. Usage: idle.ts PORT CONNECTIONS h2|http/1.1
 *
 * Prints `open` when on each of them the server's SETTINGS have arrived and been acknowledged, or a response to
 * `/hello` has.
 */
import { createConnection } from 'node:net';
import { HELLO } from '../content.ts';
import { RawConnection } from './raw-connection.ts';

/** Few enough at once for the server's backlog. */
const OPENING_AT_ONCE = 100;
/** Connections from one source address: well under the ephemeral ports that one may have. */
const CONNECTIONS_PER_ADDRESS = 5_000;
/**
 * Source addresses of this process's own. The ports of the run before are in TIME-WAIT for a minute, and from the same
 * addresses a second run opened 40 connections a second instead of 2,000, to node:http2 as to Sluice.
 */
const ADDRESSES = `127.${1 + (process.pid % 250)}.${1 + (Math.floor(process.pid / 250) % 250)}`;

const [port, connections] = process.argv.slice(2, 4).map(Number) as [number, number];
const open = process.argv[4] === 'http/1.1' ? openHttp1 : openHttp2;
const request = 'GET /hello HTTP/1.1\r\nhost: bench\r\n\r\n';

let started = 0;
let openCount = 0;

function openNext(): void {
  if (started === connections) return;
  const localAddress = `${ADDRESSES}.${2 + Math.floor(started / CONNECTIONS_PER_ADDRESS)}`;
  started++;
  open(localAddress);
}

function onOpen(): void {
  if (++openCount === connections) console.log('open');
  openNext();
}

function onFailure(reason: string): void {
  console.error(`after ${openCount} of ${connections} connections: ${reason}`);
  process.exit(1);
}

function openHttp2(localAddress: string): void {
  new RawConnection(port, localAddress, {
    onOpen,
    onResponse() {
      // No response is expected.
    },
    onWindow() {
      // No request is sent.
    },
    onFailure,
  });
}

function openHttp1(localAddress: string): void {
  const socket = createConnection({ host: '127.0.0.1', port, localAddress });
  let text = '';
  socket.on('connect', () => socket.write(request));
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    if (text.endsWith(HELLO)) onOpen();
  });
  socket.on('error', (error) => onFailure(String(error)));
  socket.on('close', () => onFailure('the server closed the connection'));
}

for (let index = 0; index < OPENING_AT_ONCE; index++) openNext();
