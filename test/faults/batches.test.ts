/** A thread that is warm from light work takes exchanges in large batches. What it meets next may cost far more. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

for (const when of ['now', 'microtask', 'tick']) {
  test.serial(
    `the first answer of a warm thread leaves while the next exchange computes: ${when}`,
    async (t) => {
      const { origin, port, signals } = await startServer(t, {
        pools: {
          computing: { application: application('faults', 'computing'), threads: { min: 1, max: 1 } },
        },
      });
      const session = await connectHttp2(t, origin);
      const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
      for (let round = 0; round < 30; round++) {
        const answers = await Promise.all(Array.from({ length: 100 }, () => ask('/light/now')));
        t.true(answers.every(({ status }) => status === 200));
      }
      const client = await RawHttp2.connect(t, port);
      const head = (what: string) =>
        requestHead('GET', `/${what}/${when}`, { [SIGNALS_FIELD]: signals.name });
      // In one packet, so that the thread finds them in one turn.
      client.send(
        headers(1, head('compute'), true),
        headers(3, head('block'), true),
        ...[5, 7, 9].map((id) => headers(id, head('compute'), true)),
      );
      // Only now may the second one go on: an answer that the batch held back would wait for it.
      await client.until(({ streamId, flags }) => streamId === 1 && (flags & 1) !== 0);
      await signals.until('blocks');
      signals.tell('release');
      for (const id of [3, 5, 7, 9]) {
        await client.until(({ streamId, flags }) => streamId === id && (flags & 1) !== 0);
      }
      t.pass();
    },
  );
}
