/** The charts, drawn by uPlot: at most two lines each, over the time since the page was opened, at most five minutes. */
import uPlot from 'uplot';
import type { Series, Track } from './history.ts';
import { duration, make, percent, rate, say } from './text.ts';

interface ChartText {
  readonly title: string;
  /** The vertical axis reaches at least this far, so that small values look small. */
  readonly least: number;
  readonly lines: readonly {
    readonly series: Series;
    readonly name: string;
    readonly show: (value: number) => string;
  }[];
}

const HEIGHT = 150;
/** The horizontal axis covers at least this time. */
const LEAST_SECONDS = 60;

const texts: readonly ChartText[] = [
  { title: 'Requests per second', least: 1, lines: [{ series: 'perSecond', name: 'ended', show: rate }] },
  {
    title: 'Time in the application',
    least: 1,
    lines: [
      { series: 'p50', name: 'p50', show: duration },
      { series: 'p99', name: 'p99', show: duration },
    ],
  },
  {
    title: 'Wait for a thread',
    least: 1,
    lines: [
      { series: 'wait50', name: 'p50', show: duration },
      { series: 'wait99', name: 'p99', show: duration },
    ],
  },
  {
    title: 'Credit stalls per second',
    least: 1,
    lines: [{ series: 'stallsPerSecond', name: 'stalls', show: rate }],
  },
  {
    title: 'Fullest ring',
    least: 10,
    lines: [{ series: 'ring', name: 'used', show: (value) => percent(value / 100) }],
  },
];

interface Chart {
  readonly text: ChartText;
  readonly figure: HTMLElement;
  readonly place: HTMLElement;
  readonly values: readonly HTMLElement[];
  plot: uPlot | null;
}

export class Charts {
  readonly #charts: readonly Chart[];
  /** Where the horizontal axis begins, in seconds since the epoch. */
  #from = 0;

  constructor(container: HTMLElement) {
    this.#charts = texts.map((text) => {
      const figure = make('figure');
      const caption = make('figcaption');
      caption.append(make('b', '', text.title));
      const values = text.lines.map(({ name }, index) => {
        const line = make('span', `series ${index === 0 ? 'one' : 'two'}`, `${name} `);
        const value = make('span', 'value');
        line.append(value);
        caption.append(line);
        return value;
      });
      const place = make('div');
      figure.append(caption, place);
      container.append(figure);
      return { text, figure, place, values, plot: null };
    });
    new ResizeObserver(() => this.#resize()).observe(container);
  }

  /** @param since the first time that there are values for */
  show(times: readonly number[], since: number, track: Track): void {
    this.#from = Math.min(since, (times.at(-1) as number) - LEAST_SECONDS);
    for (const chart of this.#charts) {
      const rows = chart.text.lines.map(({ series }) => track.rows[series]);
      const data = [times, ...rows] as unknown as uPlot.AlignedData;
      if (chart.plot === null) chart.plot = plotOf(chart, data, () => this.#from);
      else chart.plot.setData(data);
      for (const [index, { show }] of chart.text.lines.entries()) {
        const value = rows[index]?.at(-1) ?? null;
        say(chart.values[index] as HTMLElement, value === null ? '–' : show(value));
      }
    }
  }

  /** Colours have changed: the next `show` draws the charts again. */
  forget(): void {
    for (const chart of this.#charts) {
      chart.plot?.destroy();
      chart.plot = null;
    }
  }

  #resize(): void {
    for (const { plot, place } of this.#charts) {
      const width = place.clientWidth;
      if (plot !== null && width > 0 && Math.abs(plot.width - width) > 1)
        plot.setSize({ width, height: HEIGHT });
    }
  }
}

function plotOf({ text, place }: Chart, data: uPlot.AlignedData, from: () => number): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('muted'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
    font: '11px system-ui, sans-serif',
  };
  const [{ show }] = text.lines as [ChartText['lines'][number]];
  const lines = text.lines.map((_, index) => ({
    stroke: colour(index === 0 ? 'one' : 'two'),
    width: 1.5,
    points: { show: false },
    spanGaps: false,
  }));
  return new uPlot(
    {
      width: Math.max(120, place.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 8, 0, 0],
      scales: {
        x: { range: (_plot, _least, most) => [from(), most] },
        y: { range: (_plot, _least, most) => [0, Math.max(most, text.least) * 1.1] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          space: 76,
          values: (_plot, splits) => splits.map((at) => new Date(at * 1_000).toLocaleTimeString()),
        },
        {
          ...axis,
          size: 56,
          values: (_plot, splits) => splits.map((value) => show(value)),
        },
      ],
      series: [{}, ...lines],
    },
    data,
    place,
  );
}
