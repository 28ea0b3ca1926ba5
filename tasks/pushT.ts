// Push a T: a rod pushes a T-shaped block over a bench into a place and turn that are drawn on it.
// After the task of Diffusion Policy (arXiv:2303.04137), itself after Implicit Behavioral Cloning. Differs:
// in three dimensions, and success is 1.5 cm and 0.12 rad rather than a share of covered area.

import { atan2, cos, sin } from "../sim/math.ts";
import type { RobotModel } from "../sim/model.ts";
import { unboundedSpace, unitSpace } from "../sim/space.ts";
import type { Task } from "../sim/task.ts";
import type { World } from "../sim/world.ts";
import { graded, type HandTaskOptions, type Stage } from "./arm/grading.ts";
import { dropBlock } from "./arm/parts.ts";
import { controlDt, gripSettings } from "./arm/scene.ts";
import { axisOf, between } from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { loadRobot } from "./robots.ts";

export const rodRadius = 0.012; // m
export const longestPush = 0.02; // m in a control step along each axis
const reach = 0.3; // m from the middle along each axis
const leash = 0.03; // m that the wanted place may be away from the rod
const nearEnough = 0.015; // m
const turnedEnough = 0.12; // rad
const startRange = 0.12; // m from the goal along each axis
const leastAway = 0.15; // m between the rod and the T's middle at the start
const teeHeight = 0.015; // m of its middle

export async function pushT(id: string, options: HandTaskOptions): Promise<Task> {
  return push(id, await loadRobot(new URL("./push.xml", import.meta.url)), options);
}

function push(id: string, model: RobotModel, options: HandTaskOptions): Task {
  const tee = model.links.findIndex(({ name }) => name === "tee");
  const success = (world: World): boolean =>
    distance(world, tee) < nearEnough && Math.abs(teeYaw(world, tee)) < turnedEnough;
  const linear = { sigmoid: "linear", valueAtMargin: 0 } as const;
  const placed = (world: World): number =>
    tolerance(distance(world, tee), { margin: 0.2, ...linear });
  const turned = (world: World): number =>
    tolerance(teeYaw(world, tee), { margin: Math.PI, ...linear });
  const stages: Stage[] = [
    { name: "place", weight: 0.4, progress: placed },
    { name: "turn", weight: 0.3, progress: turned },
    { name: "both", weight: 0.3, progress: (world) => placed(world) * turned(world) },
  ];
  return {
    id,
    model,
    settings: { ...gripSettings(model), contactFrequency: null },
    controlDt,
    maxEpisodeSteps: 400,
    observation: unboundedSpace(observed),
    action: unitSpace(["rod: shift along x, of 2 cm", "rod: shift along y, of 2 cm"]),
    memorySize: 2, // the rod's wanted place
    randomization: { motorStrength: [0.85, 1.15], mass: [0.8, 1.25], friction: [0.8, 1.25] },
    ...graded(options, success, stages),

    reset(world, rng) {
      const place = () => [
        between(rng, -startRange, startRange),
        between(rng, -startRange, startRange),
      ];
      const [x, y] = place() as [number, number];
      dropBlock(world, tee, [x, y, teeHeight], between(rng, -Math.PI, Math.PI), rng, 0.03);
      const away = between(rng, leastAway, leastAway + 0.05);
      const angle = between(rng, -Math.PI, Math.PI);
      const clamp = (value: number): number => Math.min(reach, Math.max(-reach, value));
      world.memory[0] = clamp(x + away * cos(angle));
      world.memory[1] = clamp(y + away * sin(angle));
      for (let k = 0; k < 2; k++) world.start.positions[k] = world.memory[k]!;
    },

    command({ memory, jointPositions }, action, controls) {
      for (let k = 0; k < 2; k++) {
        const now = jointPositions[k]!;
        const wanted = memory[k]! + longestPush * action[k]!;
        const leashed = Math.min(now + leash, Math.max(now - leash, wanted));
        memory[k] = Math.min(reach, Math.max(-reach, leashed));
        controls[k] = memory[k]! / reach;
      }
    },

    observe: (world, out) => observe(world, tee, out),
  };
}

const observed = [
  ...["x", "y"].map((axis) => `rod: 5 ${axis} from the middle [m]`),
  ...["x", "y"].map((axis) => `rod: velocity along ${axis} [m/s]`),
  ...["x", "y"].map((axis) => `rod: 30 (wanted − measured ${axis}) [m]`),
  ...["x", "y"].map((axis) => `T: 5 ${axis} from its goal [m]`),
  "T: cosine of its yaw from its goal",
  "T: sine of its yaw from its goal",
  ...["x", "y"].map((axis) => `rod: 5 ${axis} in the T's frame [m]`),
  ...["x", "y"].map((axis) => `T: velocity along ${axis} [m/s]`),
  "T: 0.2 turning rate [rad/s]",
];

function observe(world: World, tee: number, out: Float32Array): void {
  const { memory, jointPositions, jointVelocities, linkPositions, linkVelocities } = world;
  const yaw = teeYaw(world, tee);
  const [c, s] = [cos(yaw), sin(yaw)];
  for (let k = 0; k < 2; k++) {
    out[k] = 5 * jointPositions[k]!;
    out[2 + k] = jointVelocities[k]!;
    out[4 + k] = 30 * (memory[k]! - jointPositions[k]!);
    out[6 + k] = 5 * linkPositions[3 * tee + k]!;
    out[12 + k] = linkVelocities[3 * tee + k]!;
  }
  out[8] = c;
  out[9] = s;
  const dx = jointPositions[0]! - linkPositions[3 * tee]!;
  const dy = jointPositions[1]! - linkPositions[3 * tee + 1]!;
  out[10] = 5 * (c * dx + s * dy);
  out[11] = 5 * (c * dy - s * dx);
  out[14] = 0.2 * world.linkAngularVelocities[3 * tee + 2]!;
}

/** The T's turn about the vertical from its goal's, in (−π, π]. */
export function teeYaw(world: World, tee: number): number {
  return atan2(axisOf(world, tee, 1, 0), axisOf(world, tee, 0, 0));
}

/** The T's distance from its goal, in m. */
function distance({ linkPositions }: World, tee: number): number {
  const [x, y] = [linkPositions[3 * tee]!, linkPositions[3 * tee + 1]!];
  return Math.sqrt(x * x + y * y);
}
