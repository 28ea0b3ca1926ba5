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

export function colorOf(index: number): string {
  return seriesColors[index % seriesColors.length]!;
}

/** "1.5k" for ticks. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size > 0 && size < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

/** Axes in the page's colours. */
export function axes(): uPlot.Axis[] {
  const style = getComputedStyle(document.documentElement);
  const color = style.getPropertyValue("--faint");
  const line = style.getPropertyValue("--line");
  const shared = {
    stroke: color,
    font: "11px system-ui, sans-serif",
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    values: (_: uPlot, values: number[]) => values.map(shortNumber),
  };
  return [
    { ...shared, size: 22 },
    { ...shared, size: 44 },
  ];
}

/** A chart of lines over time with a line where the player is; click to seek. */
export class TimePlot {
  readonly element: HTMLElement;
  private readonly now: HTMLElement;
  private readonly plot: uPlot;

  constructor(names: readonly string[], width: number, seek: (time: number) => void) {
    this.element = document.createElement("div");
    this.element.className = "plot";
    const series = names.map((label, i) => ({ label, stroke: colorOf(i), width: 1.3 }));
    this.plot = new uPlot(
      {
        width,
        height: 132,
        series: [{}, ...series],
        axes: axes(),
        scales: { x: { time: false } },
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        padding: [6, 10, 0, 0],
      },
      [[], ...names.map(() => [])],
      this.element,
    );
    this.now = document.createElement("div");
    this.now.className = "now";
    this.plot.over.append(this.now);
    this.plot.over.onclick = (event) => seek(this.plot.posToVal(event.offsetX, "x"));
  }

  /** New lines: the times first. */
  setData(data: readonly ArrayLike<number>[]): void {
    this.plot.setData(data as unknown as uPlot.AlignedData);
  }

  moveTo(time: number): void {
    const x = this.plot.valToPos(time, "x");
    this.now.style.transform = `translateX(${Number.isFinite(x) ? x : 0}px)`;
  }

  resize(width: number): void {
    if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: 132 });
  }

  dispose(): void {
    this.plot.destroy();
    this.element.remove();
  }
}
