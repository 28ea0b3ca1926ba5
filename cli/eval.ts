// salle eval: a run's policy over many episodes, from starts that its training never saw.
// salle play: episodes of a policy, an agent that knows nothing or a scripted expert, one line each.

import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { evaluationMetrics } from "../train/evaluate.ts";
import { print, table } from "./output.ts";
import {
  agentNamed,
  agents,
  type PlayOptions,
  playBlindly,
  playExpert,
  playPolicy,
} from "./playing.ts";
import { formatNumber } from "./progress.ts";

interface EvalOptions extends PlayOptions {
  readonly json?: string;
}

const recordOption = [
  "--record <file>",
  "also write the episodes as recordings, for `salle view` and `salle verify`",
] as const;

export function evalCommand(): Command {
  return new Command("eval")
    .argument("<run>", "a run's folder, its name, or how its name begins")
    .option("--episodes <n>", "number of episodes, each from its own start", "32")
    .option("--seed <n>", "of the starts", "1000")
    .option("--checkpoint <which>", "best, last, ope or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
    .option(...recordOption)
    .option("--json <file>", "also write every episode's numbers to a file")
    .addHelpText(
      "after",
      `
The policy acts by its mode, without exploration. Speeds and powers are means over the time that an
episode may last; after a fall they count as 0, so that a dive does not look like a run.`,
    )
    .action(evaluate);
}

export function playCommand(): Command {
  return new Command("play")
    .argument("<run or task>", "a run for --agent trained, a task for the others")
    .option("--agent <kind>", agents.join(", "), "trained")
    .option("--episodes <n>", "number of episodes", "5")
    .option("--seed <n>", "of the starts", "1000")
    .option("--checkpoint <which>", "best, last, ope or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
    .option(...recordOption)
    .addHelpText(
      "after",
      `
expert is a task's scripted controller, where it has one; person is the same with people's flaws.

Examples:
  salle play hopper --agent random
  salle play lift-cube --agent expert
  salle play runs/hopper-hop-v0__sac__1__20260101-120000 --episodes 10`,
    )
    .action(play);
}

async function evaluate(name: string, options: EvalOptions): Promise<void> {
  const { evaluation, env, step } = await playPolicy(name, options);
  const metrics = evaluationMetrics(evaluation);
  print(
    `${env.task.id}: policy of step ${step}, ${options.episodes} episodes, seed ${options.seed}`,
  );
  const unit = (key: string): string => {
    const at = env.task.measures?.names.indexOf(key.replace("eval/", "")) ?? -1;
    return at < 0 ? "" : (env.task.measures?.units[at] ?? "");
  };
  const rows = Object.entries(metrics).map(([key, value]) => [
    `  ${key}`,
    `${formatNumber(value)} ${unit(key)}`.trim(),
  ]);
  for (const line of table(rows)) print(line);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ step, ...evaluation }, null, 2)}\n`);
    print(`wrote ${options.json}`);
  }
  if (options.record !== undefined) print(`wrote ${options.record}`);
}

async function play(
  name: string,
  options: EvalOptions & { readonly agent: string },
): Promise<void> {
  const agent = agentNamed(options.agent);
  if (agent === "expert" || agent === "person") return await showExpert(name, agent, options);
  const { evaluation, env } =
    agent === "trained" ? await playPolicy(name, options) : await playBlindly(name, agent, options);
  const { returns, lengths, terminated, measures } = evaluation;
  print(`${env.task.id}: ${agent} agent`);
  const names = Object.keys(measures);
  const rows = returns.map((episodeReturn, i) => [
    `  ${i}`,
    formatNumber(episodeReturn),
    `${lengths[i]} steps`,
    terminated[i] ? "terminated" : "",
    ...names.map((measure) => formatNumber(measures[measure]![i]!)),
  ]);
  const units = names.map((measure, i) => `${measure} ${env.task.measures!.units[i]}`);
  for (const line of table([["  episode", "return", "length", "end", ...units], ...rows]))
    print(line);
  if (options.record !== undefined) print(`wrote ${options.record}`);
}

async function showExpert(name: string, skill: "expert" | "person", options: PlayOptions) {
  const { taskId, played } = await playExpert(name, skill, options);
  const solved = played.filter(({ success }) => success).length;
  print(`${taskId}: ${skill}, ${solved} of ${played.length} successful`);
  const rows = played.map(({ episodeReturn, length, success }, i) => [
    `  ${i}`,
    formatNumber(episodeReturn),
    `${length} steps`,
    success ? "success" : "",
  ]);
  for (const line of table([["  episode", "return", "length", "end"], ...rows])) print(line);
  if (options.record !== undefined) print(`wrote ${options.record}`);
}
