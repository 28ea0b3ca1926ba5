// The benchmark of what makes policies better: updates of each method of finetune/ that has steps of its own, ResFiT's
// critic update beside PyTorch's, the time that cloned flows and diffusions take to act, by their number of steps, and
// whole iterations of ReinFlow beside DPPO's.
//
// Sizes are those of an arm that lifts a cube, with settings of the presets; one thread; turns are taken. The offline
// methods are in `npm run bench -- offline`.

import { layoutOf } from "../../agents/agent.ts";
import { cloners } from "../../finetune/index.ts";
import { createRng } from "../../sim/rng.ts";
import { compilePolicy, policyOf } from "../../train/policyProgram.ts";
import type { BenchOptions } from "../main.ts";
import { type Contender, repeatFor, takeTurns } from "../measure.ts";
import { torchMissing } from "../nn/torchPeer.ts";
import { atMost, type Report, type Row, row, type Target } from "../report.ts";
import { type CriticCase, criticCases, criticUpdates, ResidualPeer } from "./criticUpdate.ts";
import { iterations, iterationTargets, iterationWidths, openHoppers } from "./iteration.ts";
import { offPolicyUpdates, onPolicyUpdates, plain } from "./updates.ts";

const bound = 0.7; // of PyTorch's time

/** Everything of `npm run bench -- finetune`. */
export async function benchFinetune({ quick }: BenchOptions): Promise<Report> {
  const turns = quick ? { rounds: 2, milliseconds: 200 } : { rounds: 7, milliseconds: 700 };
  const missing = torchMissing();
  const rows: Row[] = [];
  const targets: Target[] = [];
  const hoppers = await openHoppers();
  for (const one of quick ? criticCases.slice(0, 1) : criticCases) {
    const found = await measured(await critics(one, missing === undefined, quick), turns);
    rows.push(...found);
    targets.push(...targetsOf(one, found));
  }
  const methods = [
    ...(await Promise.all(["residual", "decorator", "rlpd"].map(offPolicyUpdates))),
    ...(quick ? [] : await Promise.all(["resip", "reinflow", "dppo"].map(onPolicyUpdates))),
  ];
  rows.push(...(await measured(methods, turns, perSecond)));
  rows.push(...(await measured(await policies(), turns)));
  for (const width of quick ? iterationWidths.slice(0, 1) : iterationWidths) {
    const rounds = quick ? 1 : 3;
    const found = await measured(await iterations(hoppers, width), { ...turns, rounds });
    rows.push(...found);
    targets.push(...iterationTargets(found));
  }
  hoppers.dispose();
  return { rows, targets, notes: missing === undefined ? [] : [missing] };
}

const perSecond = { unit: "updates/s", of: (milliseconds: number) => 1000 / milliseconds };

async function measured(
  contenders: readonly Contender[],
  turns: Parameters<typeof takeTurns>[1],
  { unit, of } = { unit: "ms", of: (milliseconds: number) => milliseconds },
): Promise<Row[]> {
  const samples = await takeTurns(contenders, turns);
  for (const contender of contenders) await contender.dispose?.();
  return [...samples].map(([{ case: what, name }, times]) => row(what, name, times.map(of), unit));
}

/** Compiling with PyTorch takes half a minute, so a quick run leaves it out. */
async function critics(one: CriticCase, torch: boolean, quick: boolean): Promise<Contender[]> {
  const ours = await criticUpdates(one);
  if (!torch) return [ours];
  const peers = (quick ? (["eager"] as const) : (["eager", "compile"] as const)).map((mode) =>
    new ResidualPeer(one).contender(mode),
  );
  return [ours, ...(await Promise.all(peers))];
}

/** Of the case with the preset's sizes; the other is told beside it. */
function targetsOf({ name, counts }: CriticCase, rows: readonly Row[]): Target[] {
  const [ours, ...theirs] = rows;
  return theirs
    .filter(() => counts)
    .map(({ contender, median }) =>
      atMost(`${name} over ${contender}`, bound, ours!.median / median),
    );
}

/** Fresh policies' chunks for one observation. */
function policies(): Promise<Contender[]> {
  const flows = [1, 2, 4].map((flowSteps) => acts("flow", { flowSteps }));
  const diffusions = [5, 20].map((sampleSteps) => acts("diffusion", { sampleSteps, eta: 0 }));
  return Promise.all([...flows, ...diffusions]);
}

async function acts(name: string, overrides: object): Promise<Contender> {
  const algorithm = cloners[name]!;
  const config = algorithm.settings.parse(overrides) as never;
  const { observationSize, actionSize } = plain;
  const policy = policyOf(algorithm, algorithm.init(plain, config, createRng(1)));
  const sizes = { numRows: 1, observationSize, actionSize, device: "cpu" } as const;
  const program = await compilePolicy(algorithm, config, policy, sizes);
  const observations = new Float32Array(observationSize);
  const noise = new Float32Array(layoutOf(algorithm as never, plain, config).numDraws);
  const settings = Object.entries(overrides).map(([key, value]) => `, ${key} ${value}`);
  return {
    case: `${name} acts${settings.join("")}`,
    name: "Salle, one observation",
    sample: (milliseconds) => repeatFor(milliseconds, () => program.act(observations, noise)),
    dispose: () => program.dispose(),
  };
}
