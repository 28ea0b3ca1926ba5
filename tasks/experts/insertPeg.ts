// Inserts the peg: grip it high, carry it over the hole, turn it as the hole, lower it.

import type { RobotModel } from "../../sim/model.ts";
import { Hand } from "../arm/hand.ts";
import { blockYaw } from "../arm/observe.ts";
import { benchWorkspace } from "../arm/parts.ts";
import { gripHeight, holeHeight, pegLength, pegWidth } from "../insertPeg.ts";
import type { Script } from "./expert.ts";
import { type Grasp, grasp, holds } from "./grasping.ts";
import { believed, closed, Mover } from "./moves.ts";

const clearance = 0.02; // m between the block and the peg carried over it
const fits = 0.0015; // m off the hole's middle from which the peg goes in
const fitsTurn = 0.05; // rad
const lowering = 0.35; // share of the speed
const share = 0.2; // of the belief's error that is left when people look closely

export function insertPegScript(model: RobotModel): Script {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const mover = new Mover(hand);
  const linkOf = (name: string): number => model.links.findIndex((link) => link.name === name);
  const [link, hole] = [linkOf("peg"), linkOf("hole")];
  const peg: Grasp = { link, width: pegWidth, height: gripHeight };
  return (world, intent, out) => {
    if (!holds(world, hand, peg)) return grasp(world, hand, mover, peg, intent, out);
    const goal = believed(
      world,
      hole,
      intent.aim.map((error) => share * error),
    );
    const place = world.linkPositions.subarray(3 * link, 3 * link + 3);
    const { position, yaw } = hand.tool(world);
    const aside = Math.hypot(goal[0] - place[0]!, goal[1] - place[1]!);
    const lower = place[2]! - pegLength / 2;
    const turn = blockYaw(world, hole) - blockYaw(world, link);
    const wanted = mover.nearestYaw(world, yaw + turn);
    const inside = lower < holeHeight - 0.003 && aside < 0.004;
    const begun = lower < holeHeight + 0.7 * clearance ? 2 : 1;
    const ready =
      aside < begun * fits * intent.slack && Math.abs(wanted - yaw) < fitsTurn * intent.slack;
    const aim: [number, number, number] = [goal[0], goal[1], holeHeight + clearance];
    if (inside || ready) aim[2] = -0.01;
    else if (lower < holeHeight + 0.3 * clearance) [aim[0], aim[1]] = [place[0]!, place[1]!];
    aim[2] += pegLength / 2;
    for (let k = 0; k < 3; k++) aim[k]! += position[k]! - place[k]!;
    mover.towards(world, aim, wanted, closed, out);
    if (aim[2] < position[2]!) out[2]! *= lowering;
  };
}
