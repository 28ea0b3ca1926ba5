// The benchmark of physics: control steps a second of every robot, observation and reward included,
// beside MuJoCo's WebAssembly stepping the same file at the same control period.

import { readFileSync } from "node:fs";
import loadMujoco, { type MainModule } from "@mujoco/mujoco";
import { Envs } from "../../sim/env.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { substepsOf, type Task } from "../../sim/task.ts";
import { createTask } from "../../tasks/index.ts";
import type { BenchOptions } from "../main.ts";
import { type Contender, repeatFor, takeTurns } from "../measure.ts";
import { atLeast, type Report, type Row, row } from "../report.ts";

const robots = {
  pendulum: "pendulum-swingup",
  hopper: "hopper-hop",
  walker2d: "walker2d-run",
  halfcheetah: "halfcheetah-run",
  ant: "ant-run",
  quadruped: "quadruped-walk",
  humanoid: "humanoid-walk",
} as const;

const numStepsACall = 10;

/** Everything of `npm run bench -- sim`. */
export async function benchSim({ quick }: BenchOptions): Promise<Report> {
  const physics = await loadPhysics();
  const mujoco = await loadMujoco();
  const rows: Row[] = [];
  for (const [robot, taskName] of Object.entries(robots)) {
    const task = await createTask(taskName);
    const counts = quick ? [1, 64] : [1, 16, 64, 256];
    const ours = counts.map((numEnvs) => envsContender(robot, physics, task, numEnvs));
    const contenders = [...ours, mujocoContender(robot, mujoco, task)];
    const turns = quick ? { rounds: 1, milliseconds: 150 } : { rounds: 7, milliseconds: 400 };
    const samples = await takeTurns(contenders, turns);
    for (const [contender, rates] of samples) {
      rows.push(row(contender.case, contender.name, rates, "steps/s"));
      await contender.dispose?.();
    }
  }
  const rate = (robot: string, name: string) =>
    rows.find((r) => r.case === robot && r.contender === name)!.median;
  return {
    rows,
    targets: [
      atLeast("ant, 64 robots", 4000, rate("ant", "Salle, 64 robots")),
      atLeast("hopper, 64 robots", 8800, rate("hopper", "Salle, 64 robots")),
      atLeast("humanoid, 64 robots", 2600, rate("humanoid", "Salle, 64 robots")),
      ...["ant", "hopper"].map((robot) =>
        atLeast(
          `${robot}, over MuJoCo's`,
          1,
          rate(robot, "Salle, 64 robots") / rate(robot, "MuJoCo WASM"),
        ),
      ),
    ],
    notes: [
      `${physics.build} build of Rapier ${physics.version}, one thread; control steps a second summed over robots`,
      "MuJoCo steps its dynamics alone, without observations, rewards and resets",
    ],
  };
}

/** Control steps a second of N robots in one world under random actions. */
function envsContender(robot: string, physics: Physics, task: Task, numEnvs: number): Contender {
  const envs = new Envs(physics, task, { numEnvs, seed: 1 });
  const rng = createRng(1);
  const actions = new Float32Array(numEnvs * task.action.size);
  envs.reset();
  return {
    case: robot,
    name: `Salle, ${numEnvs} robot${numEnvs === 1 ? "" : "s"}`,
    async sample(milliseconds) {
      const times = await repeatFor(milliseconds, async () => {
        for (let step = 0; step < numStepsACall; step++) {
          for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
          envs.step(actions);
        }
      });
      return times.map((ms) => (1000 * numStepsACall * numEnvs) / ms);
    },
  };
}

/** Control steps a second of one robot in MuJoCo, with Salle's physics step and control period. */
function mujocoContender(robot: string, mujoco: MainModule, task: Task): Contender {
  const url = new URL(`../../../tasks/${robot}.xml`, import.meta.url); // from dist/bench/sim
  const model = mujoco.MjModel.from_xml_string(readFileSync(url, "utf8"));
  const timestep = task.settings?.timestep ?? 0.01;
  model.opt.timestep = timestep;
  const substeps = substepsOf(task, timestep);
  const data = new mujoco.MjData(model);
  const rng = createRng(1);
  return {
    case: robot,
    name: "MuJoCo WASM",
    async sample(milliseconds) {
      const times = await repeatFor(milliseconds, async () => {
        for (let step = 0; step < numStepsACall; step++) {
          for (let i = 0; i < model.nu; i++) data.ctrl[i] = 2 * rng.uniform() - 1;
          for (let k = 0; k < substeps; k++) mujoco.mj_step(model, data);
        }
      });
      return times.map((ms) => (1000 * numStepsACall) / ms);
    },
    async dispose() {
      data.delete();
      model.delete();
    },
  };
}
