/** An upload to a thread that never comes to rest goes on: what the application has read, the peer may send anew. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const STREAM_WINDOW = 65_535;

for (const requestWindowBytes of [STREAM_WINDOW, 16 * STREAM_WINDOW]) {
  test(`requestWindowBytes ${requestWindowBytes} and streamWindowBytes ${STREAM_WINDOW}: an upload of 20 windows ends while the thread is busy`, async (t) => {
    const { origin } = await startServer(t, {
      pools: {
        computing: {
          application: application('faults', 'computing'),
          threads: { min: 1, max: 1 },
          requestWindowBytes,
        },
      },
      http2: { streamWindowBytes: STREAM_WINDOW, maxStreamWindowBytes: STREAM_WINDOW },
    });
    const session = await connectHttp2(t, origin);
    let computed = 0;
    let state: 'uploading' | 'done' = 'uploading';
    // Sixteen at any time, each of 5 ms: the thread has always something to do.
    const load = Promise.all(
      Array.from({ length: 16 }, async () => {
        for (; state === 'uploading'; computed++) await request(session, { ':path': '/compute' });
      }),
    );
    const bytes = 20 * STREAM_WINDOW;
    const uploads = await connectHttp2(t, origin);
    const { body } = await request(uploads, { ':method': 'POST', ':path': '/upload' }, Buffer.alloc(bytes));
    state = 'done';
    await load;
    t.is(body.toString(), String(bytes));
    // A few for each window; a thousand where the thread had to rest before the peer could send on.
    t.true(computed < 400, `${computed} computed meanwhile`);
  });
}
