/**
 * Applications that call the exchange where their stack ends, so that the call breaks off anywhere within: each exchange is answered or
 * cut off, and the thread and its ring go on for the others.
 */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';

const INTERNAL_ERROR = 0x2;

for (const path of ['/respond', '/inform', '/write', '/end', '/swallow']) {
  test.serial(
    `a call that breaks off at the end of the stack leaves nothing half sent: ${path}`,
    async (t) => {
      const { origin, log } = await startServer(t, {
        pools: {
          deep: {
            application: application('faults', 'deep'),
            threads: { min: 1, max: 1 },
            // What breaks off is to be the server's own call.
            validate: false,
          },
        },
      });
      const session = await connectHttp2(t, origin);
      for (let padding = 0; padding < 16; padding++) {
        for (const length of [5, 40_000]) {
          const query = `?padding=${padding}&length=${length}`;
          const { status, body, how, resetCode } = await request(session, { ':path': path + query });
          if (status === 200 && how === 'whole') t.is(body.length, length, query);
          else t.true(status === 500 || resetCode === INTERNAL_ERROR, `${query}: ${status} ${resetCode}`);
          t.is((await request(session, { ':path': '/' })).body.toString(), 'hello');
        }
      }
      t.is(log.count('thread died'), 0);
    },
  );
}
