// What a benchmark found, and how it is printed.

import { cpus, totalmem } from "node:os";

/** One measured figure; times are milliseconds unless `unit` says otherwise. */
export interface Row {
  readonly case: string;
  readonly contender: string;
  readonly median: number;
  readonly min: number;
  readonly count: number;
  readonly unit: string;
}

export interface Target {
  readonly name: string;
  readonly wanted: string;
  readonly got: string;
  readonly reached: boolean;
}

export interface Report {
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
  /** What a reader must know: what was left out and why. */
  readonly notes: readonly string[];
}

/** A row from raw samples. */
export function row(name: string, contender: string, samples: readonly number[], unit = "ms"): Row {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    case: name,
    contender,
    median: sorted[Math.floor(sorted.length / 2)]!,
    min: sorted[0]!,
    count: sorted.length,
    unit,
  };
}

/** A target that a ratio stays below a bound. */
export function atMost(name: string, bound: number, got: number, unit = ""): Target {
  const text = (x: number) => `${Number(x.toPrecision(3))}${unit}`;
  return { name, wanted: `<= ${text(bound)}`, got: text(got), reached: got <= bound };
}

/** A target that a figure reaches a bound. */
export function atLeast(name: string, bound: number, got: number): Target {
  return {
    name,
    wanted: `>= ${bound}`,
    got: String(Number(got.toPrecision(3))),
    reached: got >= bound,
  };
}

/** The rows as an aligned table, a group a case, then targets and notes. */
export function formatReport({ rows, targets, notes }: Report): string {
  const cells = rows.map((r, i) => [
    rows[i - 1]?.case === r.case ? "" : r.case,
    r.contender,
    `${format(r.median)} ${r.unit}`,
    `${format(r.min)} ${r.unit}`,
    String(r.count),
  ]);
  const table = align([["case", "contender", "median", "min", "n"], ...cells]);
  const goals = targets.map(
    ({ name, wanted, got, reached }) =>
      `${reached ? "reached" : "missed "}  ${name}: wanted ${wanted}, got ${got}`,
  );
  return [table, "", ...goals, ...notes.map((note) => `note: ${note}`), ""].join("\n");
}

function align(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function format(x: number): string {
  return x >= 1000 ? x.toFixed(0) : Number(x.toPrecision(3)).toString();
}

/** Lines of a table of a page. */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly unknown[])[],
): string[] {
  return [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

/** The machine, in words. */
export function machine(): string {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${processors[0]?.model.trim()}, ${processors.length} cores, ${memory} GiB, Node ${process.version}`;
}
