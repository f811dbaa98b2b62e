/** Draws exchanges: how many of a pool were in which phase, and each of them as a bar. */
import { type ExchangeModel, type PackedRow, Phase, type PhaseCount } from './exchanges.ts';
import { firstAbove } from './model.ts';
import { FONT, type Palette, prepare } from './painting.ts';
import type { View } from './view.ts';

export const COUNTS_HEIGHT = 56;
export const BAR_HEIGHT = 7;
const COLUMN_WIDTH = 2;
/** In the order in which they are stacked; stalls are part of running. */
const stacked = [Phase.Running, Phase.Claim, Phase.Queue] as const;

/** @param oneOf each recorded exchange stands for this many */
export function drawCounts(
  canvas: HTMLCanvasElement,
  counts: readonly PhaseCount[],
  oneOf: number,
  view: View,
  palette: Palette,
): void {
  const context = prepare(canvas, view.width, COUNTS_HEIGHT);
  const columns = Math.ceil(view.width / COLUMN_WIDTH);
  const values: number[][] = [];
  let most = 1;
  for (let column = 0; column < columns; column++) {
    const start = view.usAt(column * COLUMN_WIDTH);
    const end = view.usAt((column + 1) * COLUMN_WIDTH);
    const row = counts.map((count) => oneOf * count.average(start, end));
    most = Math.max(
      most,
      stacked.reduce<number>((sum, phase) => sum + row[phase], 0),
    );
    values.push(row);
  }
  const scale = (COUNTS_HEIGHT - 4) / most;
  for (const [column, row] of values.entries()) {
    let y = COUNTS_HEIGHT;
    for (const phase of stacked) {
      const height = row[phase] * scale;
      y -= height;
      context.fillStyle = palette.phases[phase];
      context.fillRect(column * COLUMN_WIDTH, y, COLUMN_WIDTH, height);
      if (phase === Phase.Running && row[Phase.Stall] > 0) {
        context.fillStyle = palette.phases[Phase.Stall];
        const stalled = Math.min(height, row[Phase.Stall] * scale);
        context.fillRect(column * COLUMN_WIDTH, y + height - stalled, COLUMN_WIDTH, stalled);
      }
    }
  }
  context.font = FONT;
  context.fillStyle = palette.muted;
  context.fillText(`${Math.round(most)} at once`, 4, 8);
}

export function drawBars(
  canvas: HTMLCanvasElement,
  rows: readonly PackedRow[],
  view: View,
  palette: Palette,
): void {
  const context = prepare(canvas, view.width, Math.max(1, rows.length) * BAR_HEIGHT);
  for (const [number, { starts, ends, exchanges }] of rows.entries()) {
    const y = number * BAR_HEIGHT;
    let index = firstAbove(ends, view.start);
    while (index < starts.length && starts[index] < view.end) {
      const left = view.xOf(starts[index]);
      const width = view.xOf(ends[index]) - left;
      drawBar(context, exchanges[index], y, view, palette);
      index = width >= 1 ? index + 1 : firstAbove(ends, view.usAt(Math.floor(left) + 1), index + 1);
    }
  }
}

function drawBar(
  context: CanvasRenderingContext2D,
  { spans }: ExchangeModel,
  y: number,
  view: View,
  palette: Palette,
): void {
  for (const [phase, start, end] of spans) {
    const left = Math.max(0, view.xOf(start));
    const width = Math.min(view.width, view.xOf(end)) - left;
    if (width <= 0) continue;
    context.fillStyle = palette.phases[phase];
    const inset = phase === Phase.Running || phase === Phase.Stall ? 0 : 2;
    context.fillRect(left, y + inset, Math.max(width, 0.75), BAR_HEIGHT - 1 - 2 * inset);
  }
}

export function exchangeAt(rows: readonly PackedRow[], us: number, y: number): ExchangeModel | null {
  const row = rows[Math.floor(y / BAR_HEIGHT)];
  if (row === undefined) return null;
  const index = firstAbove(row.ends, us);
  return index < row.starts.length && row.starts[index] <= us ? row.exchanges[index] : null;
}
