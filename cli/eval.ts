// salle eval: a run's policy over many episodes, from starts that its training never saw.
// salle play: episodes of a policy, or of an agent that knows nothing, one line each.

import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { loadPhysics } from "../sim/rapier.ts";
import { createRng } from "../sim/rng.ts";
import { createVecEnv, type VecEnv } from "../sim/vecEnv.ts";
import { demonstrate } from "../tasks/experts/demonstrate.ts";
import { createTask, taskSource } from "../tasks/index.ts";
import { type Evaluation, evaluationMetrics, runEpisodes } from "../train/evaluate.ts";
import { loadPolicy, readRunConfig } from "../train/policy.ts";
import { print, table } from "./output.ts";
import { formatNumber } from "./progress.ts";
import { checkpointName, findRun } from "./runFolders.ts";

const agents = ["trained", "zero", "random", "expert", "person"] as const;
type Agent = (typeof agents)[number];

interface EvalOptions {
  readonly episodes: string;
  readonly seed: string;
  readonly checkpoint?: string;
  readonly runs: string;
  readonly json?: string;
}

export function evalCommand(): Command {
  return new Command("eval")
    .argument("<run>", "a run's folder, its name, or how its name begins")
    .option("--episodes <n>", "number of episodes, each from its own start", "32")
    .option("--seed <n>", "of the starts", "1000")
    .option("--checkpoint <which>", "best, last or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
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
    .option("--checkpoint <which>", "best, last or a step; best where there is one")
    .option("--runs <folder>", "where runs are", "runs")
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
  const { evaluation, env, step } = await playEpisodes(name, "trained", options);
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
}

async function play(
  name: string,
  options: EvalOptions & { readonly agent: string },
): Promise<void> {
  const agent = agents.find((known) => known === options.agent);
  if (!agent) throw new Error(`--agent wants one of ${agents.join(", ")}, got "${options.agent}"`);
  if (agent === "expert" || agent === "person") return await playExpert(name, agent, options);
  const { evaluation, env } = await playEpisodes(name, agent, options);
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
}

/** Episodes of a scripted expert, which sees more than is observed. */
async function playExpert(
  name: string,
  skill: "expert" | "person",
  options: EvalOptions,
): Promise<void> {
  const numEpisodes = wholeNumber("--episodes", options.episodes, 1);
  const first = wholeNumber("--seed", options.seed, 0);
  const task = await createTask(name);
  const seeds = Array.from({ length: numEpisodes }, (_, i) => first + i);
  const played = demonstrate(await loadPhysics(), task, skill, seeds);
  const solved = played.filter(({ success }) => success).length;
  print(`${task.id}: ${skill}, ${solved} of ${numEpisodes} successful`);
  const rows = played.map(({ episodeReturn, length, success }, i) => [
    `  ${i}`,
    formatNumber(episodeReturn),
    `${length} steps`,
    success ? "success" : "",
  ]);
  for (const line of table([["  episode", "return", "length", "end"], ...rows])) print(line);
}

interface Played {
  readonly evaluation: Evaluation;
  readonly env: VecEnv;
  /** Of the policy's checkpoint. */
  readonly step: number;
}

/** Runs the episodes; the environment's threads have ended. */
async function playEpisodes(
  name: string,
  agent: Exclude<Agent, "expert" | "person">,
  options: EvalOptions,
): Promise<Played> {
  const numEnvs = wholeNumber("--episodes", options.episodes, 1);
  const seed = wholeNumber("--seed", options.seed, 0);
  if (agent !== "trained") {
    const env = await createVecEnv(await taskSource(name), { numEnvs, seed, numWorkers: 1 });
    const evaluation = await runEpisodes(env, seed, actionsOf(agent, env, seed));
    env.dispose();
    return { evaluation, env, step: 0 };
  }
  const folder = findRun(name, options.runs);
  const { task, train } = readRunConfig(folder);
  const build = train.physics;
  const env = await createVecEnv(await taskSource(task), { numEnvs, seed, build, numWorkers: 1 });
  const checkpoint =
    options.checkpoint === undefined
      ? undefined
      : checkpointName("--checkpoint", options.checkpoint);
  const policy = await loadPolicy(folder, checkpoint, { numRows: numEnvs });
  const evaluation = await runEpisodes(env, seed, (observations) => policy.act(observations));
  env.dispose();
  await policy.dispose();
  return { evaluation, env, step: policy.step };
}

/** What an agent does that looks at nothing. */
function actionsOf(agent: "zero" | "random", env: VecEnv, seed: number): () => Float32Array {
  const actions = new Float32Array(env.numEnvs * env.task.action.size);
  const rng = createRng(seed).split("random agent");
  return () => {
    if (agent === "random")
      for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
    return actions;
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${name} wants a whole number from ${least}, got "${text}"`);
}
