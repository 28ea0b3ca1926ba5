// Plots: small charts by uPlot in the page's own colours.

import uPlot from "uplot";

/** Colours that are told apart in light and dark and by most of the colour-blind, after Okabe and Ito. */
export const seriesColors = [
  "#2f7ec2",
  "#e08a1e",
  "#2e9e78",
  "#c9572b",
  "#b868a8",
  "#8a8f2a",
  "#4fb3d9",
  "#7a6fd0",
] as const;

const dashes = [[], [5, 3], [1.5, 3]] as const; // px; of lines whose colour was had before

export function colorOf(index: number): string {
  return seriesColors[index % seriesColors.length]!;
}

function dashOf(index: number): number[] {
  return [...dashes[Math.floor(index / seriesColors.length) % dashes.length]!];
}

/** A short piece of a line beside its name; nothing is seen of null's. */
export function swatch(index: number | null): HTMLElement {
  const element = document.createElement("span");
  element.className = "swatch";
  if (index === null) return element;
  const color = colorOf(index);
  const [dash = 1, gap = 0] = dashOf(index);
  const parts = `${color} 0 ${dash}px, transparent ${dash}px ${dash + gap}px`;
  element.style.background = `repeating-linear-gradient(90deg, ${parts})`;
  return element;
}

/** "1.5k" for ticks. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size > 0 && size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

/** Axes in the page's colours, asked for at every drawing. */
export function axes(): uPlot.Axis[] {
  const colorFor = (name: string) => () =>
    getComputedStyle(document.documentElement).getPropertyValue(name);
  const shared = {
    stroke: colorFor("--faint"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colorFor("--line"), width: 1 },
    ticks: { show: false },
    values: (_: uPlot, values: number[]) => values.map(shortNumber),
  };
  return [
    { ...shared, size: 22 },
    { ...shared, size: 44 },
  ];
}

/** A range with a little room; a constant lies in its middle. */
export function padded(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const room = high > low ? 0.08 * (high - low) : Math.max(0.5, 0.1 * Math.abs(low));
  return [low - room, high + room];
}

const height = 132; // px
const near = 14; // px from a line that is pointed at

/** A chart of lines over time with a line where the player is; click to seek, point to see a name. */
export class TimePlot {
  readonly element: HTMLElement;
  /** Says which line is pointed at, and its value there. */
  readonly pointed = document.createElement("output");
  private readonly names: readonly string[];
  private readonly now: HTMLElement;
  private readonly plot: uPlot;
  private readonly span: number;
  private from = 0; // s, where the part that is shown begins
  private index: number | null = null; // of the line that is pointed at

  /** Shows `span` seconds at a time; all where missing. */
  constructor(
    names: readonly string[],
    width: number,
    seek: (time: number) => void,
    span = Number.POSITIVE_INFINITY,
  ) {
    this.names = names;
    this.span = span;
    this.element = document.createElement("div");
    this.element.className = "plot";
    this.plot = new uPlot(this.options(width), [[], ...names.map(() => [])], this.element);
    this.now = document.createElement("div");
    this.now.className = "now";
    this.plot.over.append(this.now);
    this.plot.over.onclick = (event) => seek(this.plot.posToVal(event.offsetX, "x"));
  }

  /** New lines: the times first; null cuts a line. */
  setData(data: readonly ArrayLike<number | null>[]): void {
    this.plot.setData(data as unknown as uPlot.AlignedData);
  }

  /** What was set last; a view. */
  get data(): uPlot.AlignedData {
    return this.plot.data;
  }

  moveTo(time: number): void {
    const part = Math.max(0, Math.ceil(time / this.span - 1e-6) - 1);
    const from = part === 0 ? 0 : part * this.span;
    if (from !== this.from) {
      this.from = from;
      this.plot.setScale("x", { min: from, max: from + this.span });
    }
    const x = this.plot.valToPos(time, "x");
    this.now.style.transform = `translateX(${Number.isFinite(x) ? x : 0}px)`;
  }

  /** Lets a line stand out while the mouse is on its name. */
  pointFrom(name: HTMLElement, index: number): void {
    name.addEventListener("pointerenter", () => this.plot.setSeries(index + 1, { focus: true }));
    name.addEventListener("pointerleave", () => this.plot.setSeries(null, { focus: true }));
  }

  resize(width: number): void {
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height });
  }

  redraw(): void {
    this.plot.redraw(false);
  }

  dispose(): void {
    this.plot.destroy();
    this.element.remove();
  }

  private options(width: number): uPlot.Options {
    const series = this.names.map((label, i) => {
      return { label, stroke: colorOf(i), width: 1.3, dash: dashOf(i), points: { show: false } };
    });
    return {
      width,
      height,
      series: [{}, ...series],
      axes: axes(),
      scales: {
        x: { time: false, range: (_, low, high) => this.shown(low, high) },
        y: { range: (_, low, high) => padded(low, high) },
      },
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, focus: { prox: near } },
      focus: { alpha: 0.15 },
      padding: [6, 15, 0, 0], // room for half a label
      hooks: {
        setSeries: [
          (_, index) => {
            this.index = index === null ? null : index - 1;
            this.name();
          },
        ],
        setCursor: [() => this.name()],
      },
    };
  }

  private shown(low: number, high: number): [number, number] {
    return high - low > this.span ? [this.from, this.from + this.span] : [low, high];
  }

  private name(): void {
    const { index, names, plot } = this;
    const at = plot.cursor.idx;
    const value = index !== null && at != null ? plot.data[index + 1]?.[at] : null;
    const shown = value == null ? "" : ` ${shortNumber(value)}`;
    this.pointed.textContent = index === null ? "" : `${names[index]}${shown}`;
  }
}
