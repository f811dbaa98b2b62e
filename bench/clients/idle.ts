/**
 * A client that opens HTTP/2 connections and leaves them idle. Usage: idle.ts PORT CONNECTIONS
 *
 * Prints `open` when the server's SETTINGS have arrived and been acknowledged on each of them.
 */
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

const [port, connections] = process.argv.slice(2).map(Number);

let started = 0;
let open = 0;

function openNext(): void {
  if (started === connections) return;
  const localAddress = `${ADDRESSES}.${2 + Math.floor(started / CONNECTIONS_PER_ADDRESS)}`;
  started++;
  new RawConnection(port, localAddress, {
    onOpen() {
      if (++open === connections) console.log('open');
      openNext();
    },
    onResponse() {
      // No response is expected.
    },
    onWindow() {
      // No request is sent.
    },
    onFailure(reason) {
      console.error(`after ${open} of ${connections} connections: ${reason}`);
      process.exit(1);
    },
  });
}

for (let index = 0; index < OPENING_AT_ONCE; index++) openNext();
