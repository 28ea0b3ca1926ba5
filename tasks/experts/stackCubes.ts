// Stacks the cubes: grip, carry over the base, lower, let go.

import type { RobotModel } from "../../sim/model.ts";
import type { World } from "../../sim/world.ts";
import { Hand } from "../arm/hand.ts";
import { blockYaw } from "../arm/observe.ts";
import { benchWorkspace } from "../arm/parts.ts";
import { cubeSize } from "../liftCube.ts";
import type { Script } from "./expert.ts";
import { type Grasp, grasp, holds } from "./grasping.ts";
import { believed, closed, Mover, open, shifted } from "./moves.ts";

const carryHeight = 0.04; // m between the cube carried and the base
const touching = 0.003; // m of gap at which the cube is let go

export function stackCubesScript(model: RobotModel): Script {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const mover = new Mover(hand);
  const linkOf = (name: string): number => model.links.findIndex((link) => link.name === name);
  const [link, base] = [linkOf("cube"), linkOf("base")];
  const cube: Grasp = { link, width: cubeSize, height: 0 };
  return (world, intent, out) => {
    const goal = believed(world, base, intent.aim);
    goal[2] += cubeSize;
    const place = world.linkPositions.subarray(3 * link, 3 * link + 3);
    const aside = Math.hypot(goal[0] - place[0]!, goal[1] - place[1]!);
    const gap = place[2]! - goal[2];
    const { position, yaw } = hand.tool(world);
    const resting = Math.abs(gap) < touching * intent.slack && aside < 0.012 * intent.slack;
    if (resting && nearTool(world, hand, link)) {
      mover.towards(world, shifted(position, 0, 0, 0), yaw, open, out);
    } else if (!holds(world, hand, cube)) grasp(world, hand, mover, cube, intent, out);
    else {
      const over = aside > 0.006 * intent.slack;
      const clear = gap > carryHeight - 0.015;
      const height = over ? goal[2] + carryHeight : goal[2] - 0.002;
      const aim = [place[0]!, place[1]!, height] as [number, number, number];
      if (!over || clear) [aim[0], aim[1]] = [goal[0], goal[1]];
      for (let k = 0; k < 3; k++) aim[k]! += position[k]! - place[k]!;
      const turn = blockYaw(world, base) - blockYaw(world, link);
      mover.towards(world, aim, mover.nearestYaw(world, yaw + turn), closed, out);
    }
  };
}

function nearTool(world: World, hand: Hand, link: number): boolean {
  const { position } = hand.tool(world);
  const at = world.linkPositions.subarray(3 * link, 3 * link + 3);
  return Math.hypot(at[0]! - position[0]!, at[1]! - position[1]!, at[2]! - position[2]!) < 0.03;
}
