/**
 * JPEG by mozjpeg in WebAssembly.
 *
 * A codec instance is kept while it is healthy and small. WebAssembly memory never shrinks, and a failed
 * decode leaves its memory allocated. So in both cases the instance is dropped, together with its memory.
 */
import { readFile } from 'node:fs/promises';
import makeDecoder from '@jsquash/jpeg/codec/dec/mozjpeg_dec.js';
import makeEncoder from '@jsquash/jpeg/codec/enc/mozjpeg_enc.js';
import { defaultEncodeOptions } from '@jsquash/jpeg/meta.js';
import { Refusal } from '../site/routing.ts';
import type { Picture, RowSink } from './picture.ts';

/**
 * A progressive JPEG is a list of scans over the whole image, and each may be a few bytes long. Without a
 * limit a small file could demand hours of decoding. Encoders write about ten; scans of embedded previews
 * count as well.
 */
export const MAX_SCANS = 100;

/** An instance that has grown beyond this is not kept for the next image. */
const KEPT_MEMORY_BYTES = 64 * 1024 * 1024;

/** The part of a codec that Emscripten's glue offers; the package's own types need a browser's. */
interface Codec {
  readonly HEAPU8: Uint8Array;
}
interface Decoder extends Codec {
  decode(file: Uint8Array, preserveOrientation: boolean): { data: Uint8ClampedArray } | null;
}
interface Encoder extends Codec {
  encode(rgba: Uint8ClampedArray, width: number, height: number, options: object): Uint8Array;
}

type InstanceReceiver = (instance: WebAssembly.Instance) => void;
interface CodecOptions {
  readonly noInitialRun: true;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly instantiateWasm: (imports: WebAssembly.Imports, receive: InstanceReceiver) => WebAssembly.Exports;
}

/** Loads a codec's module once and creates instances of it. */
class CodecSource<T extends Codec> {
  readonly #wasm: string;
  readonly #make: (options: CodecOptions) => Promise<T>;
  #module: Promise<WebAssembly.Module> | undefined;
  #idle: T | undefined;
  /** The codec's output since the last `run`; it reports damage as lines for a terminal. */
  #complaints: string[] = [];

  constructor(wasm: string, make: (options: CodecOptions) => Promise<T>) {
    this.#wasm = wasm;
    this.#make = make;
  }

  async run<Result>(work: (codec: T, complaints: readonly string[]) => Result): Promise<Result> {
    const codec = this.#idle ?? (await this.#instantiate());
    // From here on nothing is awaited, so no other exchange of this thread can come between.
    this.#idle = undefined;
    this.#complaints.length = 0;
    const result = work(codec, this.#complaints);
    if (codec.HEAPU8.length <= KEPT_MEMORY_BYTES) this.#idle = codec;
    return result;
  }

  async #instantiate(): Promise<T> {
    this.#module ??= readFile(new URL(import.meta.resolve(this.#wasm))).then((bytes) =>
      WebAssembly.compile(bytes),
    );
    const module = await this.#module;
    const complain = (line: string) => {
      this.#complaints.push(line);
    };
    return this.#make({
      noInitialRun: true,
      print: complain,
      printErr: complain,
      instantiateWasm: (imports, receive) => {
        const instance = new WebAssembly.Instance(module, imports);
        receive(instance);
        return instance.exports;
      },
    });
  }
}

const decoders = new CodecSource<Decoder>(
  '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  makeDecoder as unknown as (options: CodecOptions) => Promise<Decoder>,
);
const encoders = new CodecSource<Encoder>(
  '@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm',
  makeEncoder as unknown as (options: CodecOptions) => Promise<Encoder>,
);

/**
 * @param width the width in the file's head
 * @throws Refusal 422 if the file is broken or ends too soon
 */
export async function decodeJpeg(
  file: Uint8Array,
  width: number,
  height: number,
  sink: RowSink,
): Promise<void> {
  const scans = countScans(file);
  if (scans > MAX_SCANS)
    throw new Refusal(422, `The JPEG has ${scans} scans; at most ${MAX_SCANS} are decoded.`);
  await decoders.run((decoder, complaints) => {
    const rgba = decode(decoder, file, complaints);
    if (complaints.some((line) => line.includes('Premature end'))) {
      throw new Refusal(422, 'The JPEG ends before its image does.');
    }
    const rowBytes = width * 4;
    if (rgba.length !== rowBytes * height) {
      throw new Refusal(422, `The JPEG is not ${width} × ${height} pixels, which its head says.`);
    }
    for (let y = 0; y < height; y++) sink.row(rgba, y * rowBytes);
  });
}

function decode(decoder: Decoder, file: Uint8Array, complaints: readonly string[]): Uint8ClampedArray {
  try {
    const decoded = decoder.decode(file, false);
    if (decoded !== null) return decoded.data;
  } catch (error) {
    // When libjpeg gives up it ends the program, which the glue turns into an ExitStatus. That is not an
    // Error.
    if (error instanceof Error && !(error instanceof WebAssembly.RuntimeError)) throw error;
  }
  throw new Refusal(422, `The JPEG cannot be decoded: ${complaints.join('; ') || 'no reason was given'}.`);
}

/**
 * T.81 section B.1.1.2: FF DA starts a scan. In coded data FF is always followed by 00, so FF DA cannot occur
 * there.
 */
function countScans(file: Uint8Array): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const startOfScan = Buffer.of(0xff, 0xda);
  let scans = 0;
  for (let at = bytes.indexOf(startOfScan); at !== -1; at = bytes.indexOf(startOfScan, at + 2)) scans++;
  return scans;
}

/** @param quality 1 to 100. JPEG has no alpha, so transparent parts become white. */
export function encodeJpeg(picture: Picture, quality: number): Promise<Uint8Array> {
  const options = { ...defaultEncodeOptions, quality };
  return encoders.run((encoder) =>
    // The result may lie in the codec's own memory, which its next use overwrites.
    encoder.encode(onWhite(picture.rgba), picture.width, picture.height, options).slice(),
  );
}

function onWhite(rgba: Uint8ClampedArray): Uint8ClampedArray {
  const opaque = new Uint8ClampedArray(rgba.length);
  for (let i = 0; i < rgba.length; i += 4) {
    const alpha = rgba[i + 3];
    const white = 255 - alpha;
    opaque[i] = (rgba[i] * alpha) / 255 + white;
    opaque[i + 1] = (rgba[i + 1] * alpha) / 255 + white;
    opaque[i + 2] = (rgba[i + 2] * alpha) / 255 + white;
    opaque[i + 3] = 255;
  }
  return opaque;
}
