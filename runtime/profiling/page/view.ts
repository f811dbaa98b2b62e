/** Which part of the time axis is shown, and how wide: one view for all lanes. */

export class View {
  readonly durationUs: number;
  /** Microseconds at the left and the right edge. */
  start = 0;
  end: number;
  /** CSS pixels. */
  width = 1;
  readonly #onChange: () => void;

  constructor(durationUs: number, onChange: () => void) {
    this.durationUs = durationUs;
    this.end = durationUs;
    this.#onChange = onChange;
  }

  get usPerPixel(): number {
    return (this.end - this.start) / this.width;
  }

  xOf(us: number): number {
    return (us - this.start) / this.usPerPixel;
  }

  usAt(x: number): number {
    return this.start + x * this.usPerPixel;
  }

  /**
   * Shows the requested period as far as the profile reaches, and not less than ten samples of a millisecond.
   */
  show(start: number, end: number): void {
    const span = Math.min(Math.max(end - start, MOST_ZOOM_US), this.durationUs);
    const from = Math.min(Math.max(start, 0), this.durationUs - span);
    this.start = from;
    this.end = from + span;
    this.#onChange();
  }

  /** @param factor below 1 zooms in; the time at `x` stays in place */
  zoom(factor: number, x: number = this.width / 2): void {
    const us = this.usAt(x);
    this.show(us - (us - this.start) * factor, us + (this.end - us) * factor);
  }

  /** In fractions of the visible period. */
  pan(parts: number): void {
    const us = parts * (this.end - this.start);
    this.show(this.start + us, this.end + us);
  }
}

const MOST_ZOOM_US = 200;

export function formatUs(us: number): string {
  if (us >= 1e6) return `${(us / 1e6).toFixed(us >= 1e7 ? 1 : 2)} s`;
  if (us >= 1e3) return `${(us / 1e3).toFixed(us >= 1e5 ? 0 : us >= 1e4 ? 1 : 2)} ms`;
  return `${Math.round(us)} µs`;
}

/** Round times that are at least the width of a label apart. */
export function ticksOf(view: View): { readonly stepUs: number; readonly ticks: number[] } {
  const leastUs = view.usPerPixel * 90;
  let stepUs = 10 ** Math.floor(Math.log10(leastUs));
  while (stepUs < leastUs) stepUs *= stepUs.toExponential().startsWith('2') ? 2.5 : 2;
  const ticks: number[] = [];
  for (let us = Math.ceil(view.start / stepUs) * stepUs; us <= view.end; us += stepUs) ticks.push(us);
  return { stepUs, ticks };
}
