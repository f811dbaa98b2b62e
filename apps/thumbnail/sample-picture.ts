/**
 * A picture for experiments: the Mandelbrot set, because it needs no file and shows every flaw of a
 * resampler.
 */
import type { Picture } from './picture.ts';

const MAX_STEPS = 200;
/** The visible part of the plane: its centre, and the width that the picture covers. */
const CENTER_X = -0.7436;
const CENTER_Y = 0.1318;
const SPAN = 0.016;

export function samplePicture(width: number, height: number): Picture {
  const rgba = new Uint8ClampedArray(width * height * 4);
  const step = SPAN / width;
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const t = escapeTime(CENTER_X + (x - width / 2) * step, CENTER_Y + (y - height / 2) * step) / MAX_STEPS;
      // A cosine palette: three waves with different phases give colours without a table.
      rgba[at++] = t === 1 ? 16 : 128 - 127 * Math.cos(9 * t);
      rgba[at++] = t === 1 ? 20 : 128 - 127 * Math.cos(9 * t + 1);
      rgba[at++] = t === 1 ? 28 : 128 - 127 * Math.cos(9 * t + 2.2);
      rgba[at++] = 255;
    }
  }
  return { width, height, rgba };
}

function escapeTime(cx: number, cy: number): number {
  let x = 0;
  let y = 0;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const xx = x * x;
    const yy = y * y;
    if (xx + yy > 64) return steps + 1 - Math.log2(Math.log2(xx + yy) / 2);
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return MAX_STEPS;
}
