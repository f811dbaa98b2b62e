/** From an image file to the file of its thumbnail. */
import type { ImageFormat, ImageHead } from './image-head.ts';
import type { ThumbnailOptions } from './options.ts';
import { targetSize } from './options.ts';
import { turnUpright } from './orientation.ts';
import type { Picture } from './picture.ts';
import { decodePng } from './png-decoder.ts';
import { encodePng } from './png-encoder.ts';
import { Resampler } from './resampler.ts';

export interface Thumbnail {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
  readonly file: Uint8Array;
}

/** @throws Refusal if the file cannot be decoded */
export async function makeThumbnail(
  file: Uint8Array,
  head: ImageHead,
  options: ThumbnailOptions,
): Promise<Thumbnail> {
  const picture = await reduce(file, head, options);
  const format = options.format ?? head.format;
  return {
    format,
    width: picture.width,
    height: picture.height,
    file: await encode(picture, format, options.quality),
  };
}

async function reduce(file: Uint8Array, head: ImageHead, options: ThumbnailOptions): Promise<Picture> {
  const { width, height } = targetSize(head, options);
  const resampler = new Resampler(head.width, head.height, width, height);
  if (head.format === 'png') {
    decodePng(file, resampler);
  } else {
    const { decodeJpeg } = await import('./jpeg-codec.ts');
    await decodeJpeg(file, head.width, head.height, resampler);
  }
  return turnUpright(resampler.finish(), head.orientation);
}

async function encode(picture: Picture, format: ImageFormat, quality: number): Promise<Uint8Array> {
  if (format === 'png') return encodePng(picture);
  // The codec and its WebAssembly load with the first JPEG, so that a thread becomes ready without them.
  const { encodeJpeg } = await import('./jpeg-codec.ts');
  return encodeJpeg(picture, quality);
}
