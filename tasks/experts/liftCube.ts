// Lifts the cube: grip, then up.

import type { RobotModel } from "../../sim/model.ts";
import { Hand } from "../arm/hand.ts";
import { benchWorkspace } from "../arm/parts.ts";
import { cubeSize } from "../liftCube.ts";
import type { Script } from "./expert.ts";
import { type Grasp, grasp, holds } from "./grasping.ts";
import { closed, Mover } from "./moves.ts";

export function liftCubeScript(model: RobotModel): Script {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const mover = new Mover(hand);
  const link = model.links.findIndex(({ name }) => name === "cube");
  const cube: Grasp = { link, width: cubeSize, height: 0 };
  return (world, intent, out) => {
    if (!holds(world, hand, cube)) return grasp(world, hand, mover, cube, intent, out);
    const { position, yaw } = hand.tool(world);
    mover.towards(world, [position[0]!, position[1]!, 0.2], yaw, closed, out);
  };
}
