/**
 * An image in, its thumbnail out. The upload is checked while it arrives: its first bytes show whether it is
 * an image, its head shows whether it may be decoded, and only then is the rest read.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { readBytes } from '../site/content.ts';
import { respondPage } from '../site/page.ts';
import { answer, Refusal, type Resources } from '../site/routing.ts';
import { HeadReader } from './image-head.ts';
import { readOptions } from './options.ts';

export const MAX_UPLOAD_BYTES = 16 * 1024 * 1024;
/** The thumbnail is sent in pieces of this size, each of which waits until the peer has room. */
const PIECE_BYTES = 16 * 1024;

const SAMPLE_WIDTH = 720;
const SAMPLE_HEIGHT = 480;

const RESOURCES: Resources = new Map([
  ['/thumbnail', { GET: showPage, POST: resizeBody }],
  ['/thumbnail/sample.png', { GET: showSample }],
]);

export default function thumbnail(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

async function resizeBody(exchange: Exchange, query: URLSearchParams): Promise<void> {
  const options = readOptions(query);
  const reader = new HeadReader();
  const file = await readBytes(exchange, MAX_UPLOAD_BYTES, (prefix) => reader.read(prefix));
  if (reader.head === null) {
    throw new Refusal(422, `The image ends inside its head, after ${file.length} bytes.`);
  }
  const { makeThumbnail } = await import('./thumbnail.ts');
  const made = await makeThumbnail(file, reader.head, options);
  await respondImage(exchange, `image/${made.format}`, made.file);
}

async function respondImage(exchange: Exchange, type: string, file: Uint8Array): Promise<void> {
  exchange.respond(200, {
    'content-type': type,
    'content-length': file.length,
    'x-content-type-options': 'nosniff',
  });
  for (let at = 0; at < file.length; at += PIECE_BYTES) {
    await exchange.write(file.subarray(at, at + PIECE_BYTES));
  }
  exchange.end();
}

let sample: Uint8Array | undefined;

async function showSample(exchange: Exchange): Promise<void> {
  if (sample === undefined) {
    const { samplePicture } = await import('./sample-picture.ts');
    const { encodePng } = await import('./png-encoder.ts');
    sample = encodePng(samplePicture(SAMPLE_WIDTH, SAMPLE_HEIGHT));
  }
  await respondImage(exchange, 'image/png', sample);
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
