// Spread: gives each robot of a training a place of its own.

import type { RobotModel } from "../../../sim/model.ts";

const robotSpacing = 2.6; // radii between robots

/**
 * Moves poses, [robots, links, 7], apart: in the physics all robots share one place. Hills stay where they
 * are, and so do robots on them.
 */
export function spread(model: RobotModel, poses: Float32Array, radius: number): void {
  const hilly = model.scenery?.some(({ shape }) => shape.type === "heightfield");
  const width = 7 * model.links.length;
  const numRobots = poses.length / width;
  if (numRobots < 2 || hilly) return;
  const side = Math.ceil(Math.sqrt(numRobots));
  const spacing = robotSpacing * radius;
  for (let at = 0; at < poses.length; at += 7) {
    const robot = Math.floor(at / width);
    poses[at]! += spacing * (robot % side);
    poses[at + 1]! += spacing * Math.floor(robot / side);
  }
}
