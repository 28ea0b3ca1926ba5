// Learning curves as a picture: SVG by d3's scales and shapes, PNG from it.
//
// Runs that differ in their seed alone are one curve: their mean, over a band from least to most.

import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { type Point, valueAt } from "../train/runSummary.ts";

/** One run's curve and the group it belongs to. */
export interface RunCurve {
  readonly group: string;
  readonly points: readonly Point[];
}

/** A group's curve; where it has one run, `low` and `high` are `mean`. */
export interface Curve {
  readonly label: string;
  readonly points: readonly {
    readonly step: number;
    readonly mean: number;
    readonly low: number;
    readonly high: number;
  }[];
}

const [width, height] = [880, 520]; // px
const plot = { left: 76, right: 24, top: 48, bottom: 56 }; // px, margins
const rowHeight = 20; // px, of the legend
// Dark enough on white, and told apart by those who see no red or green (after Okabe and Ito).
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5a00", "#3a86c8", "#444444"];
const font = 'font-family="DejaVu Sans, Liberation Sans, Helvetica, Arial, sans-serif"';

/** Curves of groups, over the steps that all runs of a group have. */
export function groupCurves(runs: readonly RunCurve[]): Curve[] {
  const groups = new Map<string, RunCurve[]>();
  for (const run of runs)
    if (run.points.length > 0) groups.set(run.group, [...(groups.get(run.group) ?? []), run]);
  return [...groups].map(([group, members]) => {
    const steps = new Set(members.flatMap(({ points }) => points.map(({ step }) => step)));
    const rows = [...steps]
      .sort((a, b) => a - b)
      .map((step) => {
        const values = members.map(({ points }) => valueAt(points, step));
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return { step, mean, low: Math.min(...values), high: Math.max(...values) };
      });
    const points = rows.filter(({ mean }) => Number.isFinite(mean));
    const label = members.length === 1 ? group : `${group}, mean of ${members.length} seeds`;
    return { label, points };
  });
}

/** The picture; throws where there is nothing to draw. `across` names what `step` counts. */
export function curvesSvg(
  curves: readonly Curve[],
  metric: string,
  across = "control steps",
): string {
  const points = curves.flatMap((curve) => curve.points);
  if (points.length === 0) throw new Error(`none of the runs has a value of "${metric}" to draw`);
  const legendHeight = rowHeight * curves.length + 10;
  const bottom = height - plot.bottom;
  const x = scaleLinear(
    [0, Math.max(...points.map(({ step }) => step), 1)],
    [plot.left, width - plot.right],
  );
  const [low, high] = [
    Math.min(...points.map((point) => point.low)),
    Math.max(...points.map((point) => point.high)),
  ];
  const y = scaleLinear([Math.min(0, low), high > low ? high : low + 1], [bottom, plot.top]).nice();
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + legendHeight}" viewBox="0 0 ${width} ${height + legendHeight}" ${font} font-size="13" fill="#333333">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${plot.left}" y="28" font-size="16">${escaped(metric)}</text>`,
    ...axes(x, y, across),
    ...curves.flatMap((curve, i) => drawn(curve, colors[i % colors.length]!, x, y)),
    ...curves.map((curve, i) => legend(curve, colors[i % colors.length]!, height + rowHeight * i)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

/** The picture's pixels at twice its size, as a PNG file. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js"); // most commands draw none
  return new Resvg(svg, { fitTo: { mode: "zoom", value: 2 } }).render().asPng();
}

/** Whether a PNG can have words: they are drawn with the system's fonts. */
export async function hasFonts(): Promise<boolean> {
  const { Resvg } = await import("@resvg/resvg-js");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9" ${font}>A</text></svg>`;
  return new Resvg(svg).getBBox() !== undefined;
}

type Scale = ReturnType<typeof scaleLinear<number, number>>;

function axes(x: Scale, y: Scale, across: string): string[] {
  const [left, right] = x.range() as [number, number];
  const [bottom] = y.range() as [number];
  const rows = y.ticks(6).map((tick) => {
    const at = y(tick).toFixed(1);
    const color = tick === 0 ? "#999999" : "#e4e4e4";
    return `<path d="M${left} ${at}H${right}" stroke="${color}"/><text x="${left - 8}" y="${at}" dy="4.5" text-anchor="end">${short(tick)}</text>`;
  });
  const columns = x.ticks(8).map((tick) => {
    const at = x(tick).toFixed(1);
    return `<path d="M${at} ${bottom}v5" stroke="#999999"/><text x="${at}" y="${bottom + 20}" text-anchor="middle">${short(tick)}</text>`;
  });
  const title = `<text x="${(left + right) / 2}" y="${bottom + 42}" text-anchor="middle">${across}</text>`;
  return [...rows, `<path d="M${left} ${bottom}H${right}" stroke="#999999"/>`, ...columns, title];
}

function drawn({ points }: Curve, color: string, x: Scale, y: Scale): string[] {
  type Row = (typeof points)[number];
  const band = area<Row>()
    .x(({ step }) => x(step))
    .y0(({ low }) => y(low))
    .y1(({ high }) => y(high));
  const mean = line<Row>()
    .x(({ step }) => x(step))
    .y((row) => y(row.mean));
  const path = (d: string | null, style: string) => `<path d="${d ?? ""}" ${style}/>`;
  const isBand = points.some(({ low, high }) => low !== high);
  const style = `fill="none" stroke="${color}" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"`;
  return [
    ...(isBand ? [path(band(points), `fill="${color}" fill-opacity="0.18"`)] : []),
    path(mean(points), style),
  ];
}

function legend({ label, points }: Curve, color: string, y: number): string {
  const last = points.at(-1);
  const end = last ? ` (${short(last.mean, 4)} at ${short(last.step, 4)})` : " (no values)";
  const [left, middle] = [plot.left, y + 2];
  return `<path d="M${left} ${middle}h26" stroke="${color}" stroke-width="4"/><text x="${left + 36}" y="${middle}" dy="4.5">${escaped(label + end)}</text>`;
}

/** 1500000 is "1.5M". */
function short(value: number, digits = 6): string {
  const size = Math.abs(value);
  const [unit, letter] = size >= 1e6 ? [1e6, "M"] : size >= 1e4 ? [1e3, "k"] : [1, ""];
  return `${Number((value / unit).toPrecision(digits))}${letter}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
