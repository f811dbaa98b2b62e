/**
 * Flow control through every form: a peer that does not read holds up the application, and an application
 * that does not read holds up the peer.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import { CREDENTIALS } from './gallery-server.ts';
import { rowOf } from './outcomes.ts';

/** Far more than all windows and backlogs together, and than a layer may buffer. */
const MUCH_BYTES = 64 * 1024 * 1024;
const BOUND_BYTES = 8 * 1024 * 1024;
/** How often the count is requested. Anything that is not held up has long passed through by then. */
const ASKS = 200;

const scope = new FileScope();
let server: TestServer;
test.before(async () => {
  const application = fileURLToPath(new URL('./applications/flow.ts', import.meta.url));
  server = await startServer(scope, {
    pools: { flow: { application, threads: { min: 1, max: 1 } } },
  });
});
test.after.always(() => scope.end());

async function countOf(session: ClientHttp2Session, id: string): Promise<number> {
  return Number((await request(session, { ':path': `/count?id=${id}` })).body);
}

const open = (session: ClientHttp2Session, form: string, path: string, method = 'GET'): ClientHttp2Stream =>
  session.request(
    // Random bytes do not shrink, so a layer that compresses passes them on as they arrive.
    { ...CREDENTIALS, ':path': path, ':method': method, 'x-stack': form },
    { endStream: method === 'GET' },
  );

for (const form of FORMS.filter((each) => each !== 'native/offload')) {
  test.serial(
    `${form}: an application is held up by a peer that does not read, and continues when it does`,
    async (t) => {
      const session = await connectHttp2(t, server.origin);
      const id = `send-${form}`;
      const bytes = MUCH_BYTES / 8;
      const stream = open(session, form, `/send?id=${id}&bytes=${MUCH_BYTES}`);
      await new Promise((resolve) => stream.once('response', resolve));
      stream.pause();
      let count = 0;
      for (let i = 0; i < ASKS; i++) count = await countOf(session, id);
      t.true(count < BOUND_BYTES, `${count}`);
      stream.destroy();
      const whole = open(session, form, `/send?id=whole-${form}&bytes=${bytes}`);
      let came = 0;
      whole.on('data', (piece: Buffer) => {
        came += piece.length;
      });
      await new Promise((resolve) => whole.once('close', resolve));
      t.true(came >= bytes, `${came}`);
    },
  );
}

for (const form of FORMS.filter((each) => !rowOf(each).readsAhead && each !== 'native/body-limit')) {
  test.serial(
    `${form}: a peer is held up by an application that does not read, and continues when it does`,
    async (t) => {
      const session = await connectHttp2(t, server.origin);
      const id = `receive-${form}`;
      const stream = open(session, form, `/receive?id=${id}`, 'PUT');
      const answered = answer(stream);
      const piece = Buffer.alloc(64 * 1024);
      let taken = 0;
      for (let i = 0; i < MUCH_BYTES / 8; i += piece.length) {
        stream.write(piece, () => {
          taken += piece.length;
        });
      }
      stream.end();
      while ((await countOf(session, id)) === 0) await setImmediate();
      for (let i = 0; i < ASKS; i++) await countOf(session, id);
      t.true(taken < BOUND_BYTES / 4, `${taken}`);
      await request(session, { ':path': `/go?id=${id}` });
      const { status, body } = await answered;
      t.is(status, 200);
      t.is(Number.parseInt(body.toString(), 10), MUCH_BYTES / 8);
    },
  );
}

test.serial('nothing that Node warns of has piled up meanwhile', async (t) => {
  const session = await connectHttp2(t, server.origin);
  t.is((await request(session, { ':path': '/warnings' })).body.toString(), '');
});
