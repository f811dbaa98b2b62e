/**
 * A client that stalls on purpose. Usage: stalled.ts PORT CONNECTIONS STREAMS read|upload
 *
 * `read` requests an endless response on every stream, takes what the initial windows allow and never grants
 * more. `upload` begins a POST on every stream to a route that does not read, and sends everything that the
 * server's windows allow. When nothing can move any more it prints `stalled BYTES` and waits. If the server
 * cuts it off, it prints the reason and fails.
 */
import { RawConnection } from './raw-connection.ts';

/** The default of RFC 9113 section 6.5.2 for the largest frame. */
const FRAME_BYTES = 16_384;
/** If nothing has moved for this long, the client counts as stalled. */
const QUIET_MS = 500;

const [port, connections, streams] = process.argv.slice(2, 5).map(Number);
const mode = process.argv[5];
const wanted = connections * streams;

let responses = 0;
let begun = 0;
let sentBytes = 0;
let quiet: NodeJS.Timeout | undefined;

/** Called whenever something moves. The silence after the last call ends in the report. */
function moved(): void {
  clearTimeout(quiet);
  const isReady = mode === 'read' ? responses === wanted : begun === wanted;
  if (isReady) quiet = setTimeout(() => console.log(`stalled ${sentBytes}`), QUIET_MS);
}

function fail(reason: string): void {
  console.error(reason);
  process.exit(1);
}

for (let index = 0; index < connections; index++) {
  const sent = new Map<number, number>();
  new RawConnection(port, '127.0.0.1', {
    onOpen(connection) {
      for (let streamId = 1; streamId < 2 * streams; streamId += 2) {
        connection.request(
          streamId,
          mode === 'read' ? 'GET' : 'POST',
          mode === 'read' ? '/endless' : '/hold',
        );
        sent.set(streamId, 0);
        begun++;
      }
      moved();
    },
    onResponse() {
      responses++;
      moved();
    },
    onWindow(connection) {
      if (mode !== 'upload') return;
      for (const [streamId, bytes] of sent) {
        const window = connection.initialStreamWindow + (connection.streamGrants.get(streamId) ?? 0) - bytes;
        let left = Math.min(window, connection.connectionWindow);
        sent.set(streamId, bytes + Math.max(left, 0));
        for (; left > 0; left -= FRAME_BYTES) {
          const size = Math.min(left, FRAME_BYTES);
          connection.data(streamId, size);
          sentBytes += size;
        }
      }
      moved();
    },
    onFailure: fail,
  });
}
