/** Colours, and a canvas as sharp as the screen. */

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly background: string;
  readonly dimmed: string;
  readonly match: string;
  /** Indexed by owner: hue, saturation, lightness of the first and of the last shade. */
  readonly owners: readonly (readonly [hue: number, saturation: number, from: number, to: number])[];
  readonly phases: readonly string[];
  readonly labelOnFrame: string;
}

/** Application, dependency, Sluice, Node, native, garbage collector. */
export const palettes: { readonly light: Palette; readonly dark: Palette } = {
  light: {
    text: '#1b1f24',
    muted: '#5b6470',
    line: '#d7dce2',
    background: '#ffffff',
    dimmed: '#e9ecef',
    match: '#8a2be2',
    owners: [
      [18, 92, 62, 74],
      [210, 60, 74, 84],
      [150, 28, 76, 84],
      [220, 10, 80, 87],
      [220, 6, 86, 91],
      [330, 55, 62, 70],
    ],
    phases: ['#f0b429', '#e8590c', '#74b9ff', '#d6336c', '#b8c0cc'],
    labelOnFrame: '#16191d',
  },
  dark: {
    text: '#e6e9ed',
    muted: '#98a2ae',
    line: '#333a43',
    background: '#15181c',
    dimmed: '#262b31',
    match: '#c58cff',
    owners: [
      [18, 78, 46, 57],
      [212, 42, 36, 45],
      [152, 22, 31, 38],
      [220, 8, 30, 36],
      [220, 6, 24, 29],
      [330, 45, 42, 50],
    ],
    phases: ['#d9a21b', '#d9480f', '#3b7dbf', '#c2255c', '#5b6470'],
    labelOnFrame: '#f4f6f8',
  },
};

const SHADES = 6;

/** Colours by owner and shade; a function keeps its shade. */
export function frameColours({ owners }: Palette): string[][] {
  return owners.map(([hue, saturation, from, to]) =>
    Array.from({ length: SHADES }, (_, shade) => {
      const lightness = from + ((to - from) * shade) / (SHADES - 1);
      return `hsl(${hue + shade * 3} ${saturation}% ${lightness}%)`;
    }),
  );
}

export function shadeOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return hash % SHADES;
}

export const FONT = '11px system-ui, sans-serif';
export const BOLD_FONT = 'bold 11px system-ui, sans-serif';

/** Clears the canvas and prepares it for drawing in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = globalThis.devicePixelRatio || 1;
  const pixelWidth = Math.round(width * ratio);
  const pixelHeight = Math.round(height * ratio);
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = 'middle';
  return context;
}
