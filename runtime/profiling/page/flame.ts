/**
 * Draws one thread's stacks over time. A span narrower than a pixel is drawn as one pixel, and the other
 * spans in that pixel are skipped.
 */
import { firstAbove, type LaneModel } from './model.ts';
import { BOLD_FONT, FONT, type Palette, prepare } from './painting.ts';
import type { View } from './view.ts';

export const ROW_HEIGHT = 16;
const LEAST_LABEL_WIDTH = 28;
const LABEL_INSET = 3;

/** What all lanes need to know about frames. */
export interface FrameLook {
  readonly labels: readonly string[];
  /** Whether the frame belongs to the application; such frames are emphasised. */
  readonly isOwn: readonly boolean[];
  colours: readonly string[];
  /** Indexed by frame; null: no search is active. */
  matches: readonly boolean[] | null;
}

export function drawFlame(
  canvas: HTMLCanvasElement,
  { levels, frames }: LaneModel,
  view: View,
  look: FrameLook,
  palette: Palette,
): void {
  const context = prepare(canvas, view.width, Math.max(1, levels.length) * ROW_HEIGHT);
  for (const [depth, { starts, ends, nodes }] of levels.entries()) {
    const y = depth * ROW_HEIGHT;
    let index = firstAbove(ends, view.start);
    while (index < starts.length && starts[index] < view.end) {
      const left = Math.max(0, view.xOf(starts[index]));
      const right = Math.min(view.width, view.xOf(ends[index]));
      const width = right - left;
      const frame = frames[nodes[index]];
      const isMatch = look.matches?.[frame];
      context.fillStyle = isMatch === false ? palette.dimmed : look.colours[frame];
      context.fillRect(left, y, Math.max(width - 0.5, 0.75), ROW_HEIGHT - 1);
      if (isMatch === true) {
        context.fillStyle = palette.match;
        context.fillRect(left, y + ROW_HEIGHT - 3, Math.max(width - 0.5, 0.75), 2);
      }
      if (width > LEAST_LABEL_WIDTH) {
        const isOwn = look.isOwn[frame];
        context.font = isOwn ? BOLD_FONT : FONT;
        context.fillStyle = isMatch === false ? palette.muted : palette.labelOnFrame;
        context.fillText(
          clip(context, look.labels[frame], width - 2 * LABEL_INSET),
          left + LABEL_INSET,
          y + ROW_HEIGHT / 2,
        );
      }
      index = width >= 1 ? index + 1 : firstAbove(ends, view.usAt(Math.floor(left) + 1), index + 1);
    }
  }
}

/** Letters are about equally wide, so the text is shortened before it is measured. */
function clip(context: CanvasRenderingContext2D, text: string, width: number): string {
  const most = Math.floor(width / 5);
  let cut = text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
  while (cut.length > 2 && context.measureText(cut).width > width) cut = `${cut.slice(0, -2)}…`;
  return context.measureText(cut).width > width ? '' : cut;
}

/** The node at a position on the canvas, and when its call began and ended. */
export function flameAt(
  { levels }: LaneModel,
  us: number,
  y: number,
): { readonly node: number; readonly start: number; readonly end: number } | null {
  const level = levels[Math.floor(y / ROW_HEIGHT)];
  if (level === undefined) return null;
  const index = firstAbove(level.ends, us);
  if (index >= level.starts.length || level.starts[index] > us) return null;
  return { node: level.nodes[index], start: level.starts[index], end: level.ends[index] };
}
