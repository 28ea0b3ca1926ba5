// The benchmark of physics: control steps a second of every robot, observation and reward included,
// beside MuJoCo's WebAssembly stepping the same file at the same control period.

import { readFileSync } from "node:fs";
import loadMujoco, { type MainModule } from "@mujoco/mujoco";
import { Envs } from "../../sim/env.ts";
import { loadPhysics, type Physics } from "../../sim/rapier.ts";
import { createRng } from "../../sim/rng.ts";
import { substepsOf, type Task } from "../../sim/task.ts";
import { createVecEnv } from "../../sim/vecEnv.ts";
import { createTask } from "../../tasks/index.ts";
import type { BenchOptions } from "../main.ts";
import { type Contender, repeatFor, takeTurns } from "../measure.ts";
import { atLeast, type Report, type Row, row, type Target } from "../report.ts";

const robots = {
  pendulum: "pendulum-swingup",
  hopper: "hopper-hop",
  walker2d: "walker2d-run",
  halfcheetah: "halfcheetah-run",
  ant: "ant-run",
  quadruped: "quadruped-walk",
  humanoid: "humanoid-walk",
} as const;
type Robot = keyof typeof robots;

const numStepsACall = 10;
const warmUp = 500; // ms in which a thread's WebAssembly is compiled for speed
const oneWorker = "64 robots, 1 worker";
const twoWorkers = "64 robots, 2 workers";
const rival = "MuJoCo WASM";

/** Everything of `npm run bench -- sim`. */
export async function benchSim({ quick }: BenchOptions): Promise<Report> {
  const physics = await loadPhysics();
  const mujoco = await loadMujoco();
  const turns = quick ? { rounds: 1, milliseconds: 150 } : { rounds: 5, milliseconds: 300 };
  const rows: Row[] = [];
  for (const robot of Object.keys(robots) as Robot[]) {
    const contenders = await contendersOf(robot, physics, mujoco, quick);
    for (const [contender, rates] of await takeTurns(contenders, turns)) {
      rows.push(row(contender.case, contender.name, rates, "steps/s"));
      await contender.dispose?.();
    }
  }
  return {
    rows,
    targets: targetsOf(rows),
    notes: [
      `${physics.build} build of Rapier ${physics.version}; control steps a second summed over robots`,
      'as many robots a world as the task says; "as fast as it goes": one world, torques, robots apart',
      "MuJoCo steps its dynamics alone, without observations, rewards and resets",
    ],
  };
}

async function contendersOf(
  robot: Robot,
  physics: Physics,
  mujoco: MainModule,
  quick: boolean,
): Promise<Contender[]> {
  const task = await createTask(robots[robot]);
  const counts = quick ? [1] : [1, 16];
  const inside = counts.map((numEnvs) =>
    vecContender(robot, `${numEnvs} robot${numEnvs === 1 ? "" : "s"}`, numEnvs, 0),
  );
  return [
    ...(await Promise.all(inside)),
    await vecContender(robot, oneWorker, 64, 1),
    await vecContender(robot, twoWorkers, 64, 2),
    ...(robot === "ant" || robot === "hopper" ? [fastContender(robot, physics, task)] : []),
    mujocoContender(robot, mujoco, task),
  ];
}

function targetsOf(rows: readonly Row[]): Target[] {
  const rate = (robot: Robot, name: string) =>
    rows.find((r) => r.case === robot && r.contender === name)!.median;
  return [
    atLeast("ant, 64 robots, 1 worker", 4000, rate("ant", oneWorker)),
    atLeast("hopper, 64 robots, 1 worker", 8800, rate("hopper", oneWorker)),
    atLeast("humanoid, 64 robots, 1 worker", 2600, rate("humanoid", oneWorker)),
    ...(["ant", "hopper", "humanoid"] as const).map((robot) =>
      atLeast(`${robot}, 2 workers over 1`, 1.8, rate(robot, twoWorkers) / rate(robot, oneWorker)),
    ),
    ...(["ant", "hopper"] as const).map((robot) =>
      atLeast(`${robot}, 1 worker over MuJoCo's`, 1, rate(robot, oneWorker) / rate(robot, rival)),
    ),
  ];
}

/** Control steps a second of N robots under random actions, in worlds as training has them. */
async function vecContender(
  robot: Robot,
  name: string,
  numEnvs: number,
  numWorkers: number,
): Promise<Contender> {
  const module = new URL("../../tasks/index.js", import.meta.url).href; // from dist/bench/sim
  const source = { module, name: "createTask", args: [robots[robot]] };
  const env = await createVecEnv(source, { numEnvs, numWorkers, seed: 1 });
  env.reset();
  const size = numEnvs * env.task.action.size;
  const sample = sampler(numEnvs, size, (actions) => env.step(actions));
  await sample(warmUp);
  return { case: robot, name, sample, dispose: async () => env.dispose() };
}

/** One world of robots that stand apart, driven by torques: faster, but paths depend on how many there are. */
function fastContender(robot: Robot, physics: Physics, task: Task): Contender {
  const numEnvs = 64;
  const settings = { ...task.settings, actuation: "torques", spacing: 4 } as const;
  const envs = new Envs(physics, { ...task, settings }, { numEnvs, seed: 1 });
  envs.reset();
  const size = numEnvs * task.action.size;
  const sample = sampler(numEnvs, size, (actions) => envs.step(actions));
  return {
    case: robot,
    name: "64 robots, as fast as it goes",
    sample,
    dispose: async () => envs.free(),
  };
}

/** Repeats control steps with actions drawn anew, and tells their rates. */
function sampler(
  numEnvs: number,
  numActions: number,
  step: (actions: Float32Array) => unknown,
): Contender["sample"] {
  const rng = createRng(1);
  const actions = new Float32Array(numActions);
  return async (milliseconds) => {
    const times = await repeatFor(milliseconds, async () => {
      for (let k = 0; k < numStepsACall; k++) {
        for (let i = 0; i < actions.length; i++) actions[i] = 2 * rng.uniform() - 1;
        step(actions);
      }
    });
    return times.map((ms) => (1000 * numStepsACall * numEnvs) / ms);
  };
}

/** Control steps a second of one robot in MuJoCo, with Salle's physics step and control period. */
function mujocoContender(robot: Robot, mujoco: MainModule, task: Task): Contender {
  const url = new URL(`../../../tasks/${robot}.xml`, import.meta.url); // from dist/bench/sim
  const model = mujoco.MjModel.from_xml_string(readFileSync(url, "utf8"));
  const timestep = task.settings?.timestep ?? 0.01;
  model.opt.timestep = timestep;
  const substeps = substepsOf(task, timestep);
  const data = new mujoco.MjData(model);
  const control: Float64Array = data.ctrl;
  return {
    case: robot,
    name: rival,
    sample: sampler(1, model.nu, (actions) => {
      control.set(actions);
      for (let k = 0; k < substeps; k++) mujoco.mj_step(model, data);
    }),
    async dispose() {
      data.delete();
      model.delete();
    },
  };
}
