// Opens the drawer: over the handle, down around it, close, pull.

import type { RobotModel } from "../../sim/model.ts";
import { Hand } from "../arm/hand.ts";
import { benchWorkspace } from "../arm/parts.ts";
import type { Script } from "./expert.ts";
import { closed, Mover, open } from "./moves.ts";

const hover = 0.06; // m over the handle
const lowering = 0.6; // share of the speed
const handleWidth = 0.014; // m
const pullAhead = 0.06; // m by which the hand is sent ahead of the handle

export function openDrawerScript(model: RobotModel): Script {
  const hand = new Hand(model, { workspace: benchWorkspace });
  const mover = new Mover(hand);
  return (world, { aim, slack }, out) => {
    const [x = 0, y = 0, z = 0] = world.sensors.site("handle").position;
    const turned = world.jointPositions[world.jointIndex("cabinet_yaw")]!;
    const place: [number, number, number] = [x + aim[0]!, y + aim[1]!, z + 0.5 * aim[2]!];
    const yaw = turned + Math.PI / 2 + aim[3]!;
    const aside = mover.aside(world, place);
    const above = mover.above(world, place);
    const reached = Math.abs(hand.tool(world).yaw - yaw) < 0.15 * slack;
    const closing = hand.width(world) < handleWidth + 0.012;
    const around = aside < 0.022 && above < 0.02;
    if (around && closing) {
      place[0] -= pullAhead * Math.cos(turned);
      place[1] -= pullAhead * Math.sin(turned);
      mover.towards(world, place, yaw, closed, out);
    } else if (reached && aside < 0.012 * slack) {
      mover.towards(world, place, yaw, above < 0.012 * slack ? closed : open, out);
      out[2]! *= lowering;
    } else {
      const low = above < hover - 0.03 && aside > 0.02;
      const { position } = hand.tool(world);
      const over = low ? [position[0]!, position[1]!] : [place[0], place[1]];
      mover.towards(world, [...over, z + hover], yaw, open, out);
    }
  };
}
