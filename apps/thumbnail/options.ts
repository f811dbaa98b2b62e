/** Reads the options of a thumbnail request from its query. */
import { Refusal } from '../site/routing.ts';
import type { ImageFormat, ImageHead } from './image-head.ts';
import { isSideways } from './orientation.ts';

export const MAX_THUMBNAIL_SIDE = 2048;
const DEFAULT_WIDTH = 200;
const DEFAULT_QUALITY = 80;

export interface ThumbnailOptions {
  /** The box that the thumbnail must fit into; undefined: the image's shape decides. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** undefined: the format of the upload. */
  readonly format: ImageFormat | undefined;
  /** 1 to 100, for JPEG. */
  readonly quality: number;
}

const NAMES: ReadonlySet<string> = new Set(['width', 'height', 'format', 'quality']);

/** @throws Refusal 400 with the parameter, what was expected and what was given */
export function readOptions(query: URLSearchParams): ThumbnailOptions {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (!NAMES.has(name)) throw new Refusal(400, `${name}: expected one of ${[...NAMES].join(', ')}.`);
    if (seen.has(name)) throw new Refusal(400, `${name}: expected once, got it again.`);
    seen.add(name);
  }
  const width = integer(query, 'width', MAX_THUMBNAIL_SIDE);
  const height = integer(query, 'height', MAX_THUMBNAIL_SIDE);
  return {
    width: width ?? (height === undefined ? DEFAULT_WIDTH : undefined),
    height,
    format: formatOf(query.get('format')),
    quality: integer(query, 'quality', 100) ?? DEFAULT_QUALITY,
  };
}

function integer(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) {
    throw new Refusal(400, `${name}: expected a whole number from 1 to ${max}, got '${text.slice(0, 40)}'.`);
  }
  return value;
}

function formatOf(text: string | null): ImageFormat | undefined {
  if (text === null || text === 'png' || text === 'jpeg') return text ?? undefined;
  throw new Refusal(400, `format: expected png or jpeg, got '${text.slice(0, 40)}'.`);
}

/**
 * The size to which the decoded image is reduced before it is turned upright: inside the box, in its own
 * shape, and never larger than the image.
 */
export function targetSize(head: ImageHead, options: ThumbnailOptions): { width: number; height: number } {
  const sideways = isSideways(head.orientation);
  const boxWidth = (sideways ? options.height : options.width) ?? Number.POSITIVE_INFINITY;
  const boxHeight = (sideways ? options.width : options.height) ?? Number.POSITIVE_INFINITY;
  const scale = Math.min(
    1,
    boxWidth / head.width,
    boxHeight / head.height,
    MAX_THUMBNAIL_SIDE / Math.max(head.width, head.height),
  );
  return {
    width: Math.max(1, Math.round(head.width * scale)),
    height: Math.max(1, Math.round(head.height * scale)),
  };
}
