/**
 * A pattern that looks like an attack but is none: a browser that leaves a page whose images are still
 * loading.
 */
import { constants } from 'node:http2';
import test from 'ava';
import { connectHttp2, request } from '../server/http2-client.ts';
import { startTarget } from './siege.ts';

const IMAGES = 100;
const PAGES = 5;

test('a browser that cancels a page of 100 images, and further pages, keeps its connection', async (t) => {
  const { origin } = await startTarget(t);
  const session = await connectHttp2(t, origin);
  let goaways = 0;
  session.on('goaway', () => goaways++);
  for (let page = 0; page < PAGES; page++) {
    const images = Array.from({ length: IMAGES }, () => session.request({ ':path': '/large' }));
    const closed = images.map(
      (image) => new Promise((resolve) => image.on('error', () => undefined).once('close', resolve)),
    );
    // The first image has begun to arrive.
    await new Promise((resolve) => images[0]?.once('data', resolve));
    for (const image of images) image.close(constants.NGHTTP2_CANCEL);
    await Promise.all(closed);
    const { status, body } = await request(session, { ':path': '/hello' });
    t.deepEqual([status, body.toString()], [200, 'hello']);
  }
  t.is(goaways, 0);
  t.false(session.closed);
});
