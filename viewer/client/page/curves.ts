// Curves: metrics of the chosen runs side by side, seeds of one task and algorithm as bands.

import uPlot from "uplot";
import { byId, el, setText } from "./dom.ts";
import { MetricsFeed, type RunSummary } from "./host.ts";
import { axes, colorOf, padded, shortNumber } from "./plots.ts";
import { type Band, bandOf, curveOf, smooth } from "./seeds.ts";

/** Metrics that come first, as people look for them. */
const first = [
  "rollout/ep_rew_mean",
  "eval/mean_reward",
  "rollout/success_rate",
  "eval/success_rate",
  "rollout/ep_len_mean",
  "time/fps",
];
const mostCharts = 24;

interface Group {
  readonly name: string;
  readonly runs: readonly string[];
}

export class Curves {
  private readonly feeds = new Map<string, MetricsFeed>();
  private readonly charts = el("div", { className: "charts" });
  private readonly legend = el("div", { className: "legend" });
  private readonly note = el("p", { className: "note" });
  private readonly filter: HTMLInputElement;
  private readonly weight: HTMLInputElement;
  private plots: uPlot[] = [];
  private groups: readonly Group[] = [];

  constructor() {
    this.filter = el("input", {
      type: "search",
      placeholder: "filter metrics",
      ariaLabel: "Filter",
    });
    this.weight = el("input", { type: "range", min: "0", max: "0.98", step: "0.02", value: "0.5" });
    this.filter.oninput = this.weight.oninput = () => this.render();
    const tools = el("div", { className: "tools" });
    tools.append(this.filter, el("label", {}, "smoothing", this.weight), this.legend);
    byId("curves").append(tools, this.note, this.charts);
  }

  /** Fetches what is new of these runs and draws; call it again whenever time has passed. */
  async update(runs: readonly RunSummary[], chosen: ReadonlySet<string>): Promise<void> {
    const shown = runs.filter(({ id }) => chosen.has(id));
    let changed = shown.map(({ id }) => id).join() !== this.groups.flatMap((g) => g.runs).join();
    for (const { id } of shown) {
      const feed = this.feeds.get(id) ?? new MetricsFeed(id);
      this.feeds.set(id, feed);
      changed = (await feed.update()) || changed;
    }
    this.groups = groupRuns(shown);
    if (changed) this.render();
    const none = runs.length === 0 ? "No runs here yet." : "Tick runs on the left to compare them.";
    setText(this.note, shown.length === 0 ? none : "");
  }

  render(): void {
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
    const wanted = this.filter.value.toLowerCase();
    const metrics = this.metrics().filter((name) => name.toLowerCase().includes(wanted));
    this.legend.replaceChildren(
      ...this.groups.map(({ name, runs }, i) => {
        const swatch = el("span", { className: "swatch" });
        swatch.style.background = colorOf(i);
        const seeds = runs.length > 1 ? `, ${runs.length} seeds: mean, lowest, highest` : "";
        return el("span", {}, swatch, `${name}${seeds}`);
      }),
    );
    this.charts.replaceChildren();
    for (const metric of metrics.slice(0, mostCharts)) this.chart(metric);
    if (metrics.length > mostCharts)
      this.charts.append(
        el("p", {
          className: "note",
          textContent: `${metrics.length - mostCharts} more: filter them`,
        }),
      );
  }

  private metrics(): string[] {
    const names = new Set<string>();
    for (const id of this.groups.flatMap(({ runs }) => runs))
      for (const row of this.feeds.get(id)?.rows ?? []) for (const name in row) names.add(name);
    names.delete("step");
    names.delete("wallTime");
    const rank = (name: string): number => (first.indexOf(name) + 1 || first.length + 1) - 1;
    return [...names].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  }

  private chart(metric: string): void {
    const box = el("div", { className: "chart" }, el("h3", { textContent: metric }));
    this.charts.append(box);
    const weight = Number(this.weight.value);
    const bands = this.groups.map(({ runs }) => {
      return bandOf(
        runs.map((id) => smooth(curveOf(this.feeds.get(id)?.rows ?? [], metric), weight)),
      );
    });
    const options = chartOptions(bands.length, Math.max(200, box.clientWidth - 18));
    this.plots.push(new uPlot(options, align(bands), box));
  }
}

/** Runs of one task and algorithm; others stand alone. */
function groupRuns(runs: readonly RunSummary[]): Group[] {
  const groups = new Map<string, string[]>();
  for (const { id, name, task, algorithm } of runs) {
    const key = task && algorithm ? `${task} ${algorithm}` : name;
    groups.set(key, [...(groups.get(key) ?? []), id]);
  }
  return [...groups].map(([name, members]) => ({ name, runs: members }));
}

/** Columns for uPlot: steps, then mean, low and high of each band; null where a band has no step. */
function align(bands: readonly Band[]): uPlot.AlignedData {
  return uPlot.join(
    bands.map(({ steps, mean, low, high }) => {
      return [steps, mean, high, low] as unknown as uPlot.AlignedData;
    }),
  );
}

function chartOptions(numBands: number, width: number): uPlot.Options {
  const series: uPlot.Series[] = [{ label: "step" }];
  const bands: uPlot.Band[] = [];
  for (let i = 0; i < numBands; i++) {
    const at = 1 + 3 * i;
    const stroke = colorOf(i);
    const value = (_: uPlot, shown: number | null) => (shown === null ? "" : shortNumber(shown));
    series.push(
      { stroke, width: 1.6, spanGaps: true, value },
      { stroke: "transparent", spanGaps: true, points: { show: false } },
      { stroke: "transparent", spanGaps: true, points: { show: false } },
    );
    bands.push({ series: [at + 1, at + 2], fill: `${stroke}30` });
  }
  return {
    width,
    height: 176,
    series,
    bands,
    axes: axes(),
    scales: { x: { time: false }, y: { range: (_, low, high) => padded(low, high) } },
    legend: { show: false },
    cursor: { y: false, sync: { key: "curves" } },
    padding: [6, 18, 0, 0],
  };
}
