// Pushes the T: chooses, in every step, where along its rim a push would help most, goes there and pushes.
//
// What a push does follows from the limit surface of sliding friction, taken as an ellipsoid (Goyal, Ruina
// and Papadopoulos 1991; Lynch, Maekawa and Tanie 1992): a force f along the inward normal n at c moves the
// T by v ∝ n and turns it by ω ∝ (c × n) / ρ², with ρ the ratio of largest moment to largest force.

import type { RobotModel } from "../../sim/model.ts";
import { longestPush, rodRadius, teeYaw } from "../pushT.ts";
import type { Script } from "./expert.ts";

const rho = 0.1; // m
const turnLength = 0.12; // m of displacement that a radian is worth
const travelCost = 0.1; // m of error that a metre of way round is worth
const pushes = [0.005, 0.01, 0.02, 0.04, 0.08] as const; // m that are considered
const standOff = 0.012; // m between the rod and the rim before a push
const aroundRadius = 0.135; // m of the circle on which nothing is in the way
const arc = 0.5; // rad of it in a step
const lag = 0.6; // share of a way that a step tries to cover

type Pair = readonly [x: number, y: number];
interface Spot {
  readonly point: Pair; // on the rim, in the T's frame
  readonly normal: Pair; // inwards
}

/** Boxes that the T is made of, in its frame: middle and half sizes, in m. */
const boxes = [
  { middle: [0, 0.0343], half: [0.08, 0.02] },
  { middle: [0, -0.0457], half: [0.02, 0.06] },
] as const;
const spots: readonly Spot[] = [
  ...[-0.07, -0.045, -0.015, 0.015, 0.045, 0.07].map((x): Spot => {
    return { point: [x, 0.0543], normal: [0, -1] };
  }),
  ...[-0.068, -0.045, 0.045, 0.068].map((x): Spot => ({ point: [x, 0.0143], normal: [0, 1] })),
  ...[-1, 1].flatMap((side): Spot[] => [
    { point: [side * 0.08, 0.045], normal: [-side, 0] },
    { point: [side * 0.08, 0.023], normal: [-side, 0] },
    ...[-0.02, -0.05, -0.075, -0.098].map((y): Spot => {
      return { point: [side * 0.02, y], normal: [-side, 0] };
    }),
  ]),
  ...[-0.01, 0.01].map((x): Spot => ({ point: [x, -0.1057], normal: [0, 1] })),
];

export function pushTScript(model: RobotModel): Script {
  const tee = model.links.findIndex(({ name }) => name === "tee");
  return (world, { aim }, out) => {
    const x = world.linkPositions[3 * tee]! + aim[0]!;
    const y = world.linkPositions[3 * tee + 1]! + aim[1]!;
    const yaw = teeYaw(world, tee) + aim[3]!;
    const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
    const [dx, dy] = [world.jointPositions[0]! - x, world.jointPositions[1]! - y];
    const rod: Pair = [c * dx + s * dy, c * dy - s * dx];
    const step = nextMove(rod, x, y, yaw);
    // In the world's axes, from where the rod is wanted by now.
    const goal = [
      x + c * (rod[0] + step[0]) - s * (rod[1] + step[1]),
      y + s * (rod[0] + step[0]) + c * (rod[1] + step[1]),
    ];
    let most = 1;
    const ways = goal.map((value, k) => (value - world.memory[k]!) / longestPush);
    for (const way of ways) most = Math.max(most, Math.abs(way));
    for (const [k, way] of ways.entries()) out[k] = way / most;
  };
}

/** The rod's next shift in the T's frame, in m. */
function nextMove(rod: Pair, x: number, y: number, yaw: number): Pair {
  const { spot, length } = bestPush(rod, x, y, yaw);
  const { point, normal } = spot;
  const off: Pair = [rod[0] - point[0], rod[1] - point[1]];
  const behind = -(off[0] * normal[0] + off[1] * normal[1]) - rodRadius;
  const beside = off[0] * -normal[1] + off[1] * normal[0];
  if (behind > -0.006 && behind < standOff + 0.008 && Math.abs(beside) < 0.008) {
    const ahead = Math.max(0, behind) + Math.min(length, 0.02);
    return [
      ahead * normal[0] + lag * beside * normal[1],
      ahead * normal[1] - lag * beside * normal[0],
    ];
  }
  const before: Pair = [
    point[0] - (rodRadius + standOff) * normal[0],
    point[1] - (rodRadius + standOff) * normal[1],
  ];
  return wayTo(rod, before);
}

/** The push that brings the T nearest to its goal, the way to it considered. */
function bestPush(rod: Pair, x: number, y: number, yaw: number): { spot: Spot; length: number } {
  let best = { spot: spots[0]!, length: pushes[0] as number };
  let highest = Number.NEGATIVE_INFINITY;
  const now = errorOf(x, y, yaw);
  const [c, s] = [Math.cos(yaw), Math.sin(yaw)];
  for (const spot of spots) {
    const { point, normal } = spot;
    const lever = point[0] * normal[1] - point[1] * normal[0];
    const share = 1 / (1 + (lever * lever) / (rho * rho));
    const turn = (share * lever) / (rho * rho);
    const travel = Math.hypot(
      rod[0] - point[0] + rodRadius * normal[0],
      rod[1] - point[1] + rodRadius * normal[1],
    );
    for (const length of pushes) {
      const shift = share * length;
      const after = errorOf(
        x + shift * (c * normal[0] - s * normal[1]),
        y + shift * (s * normal[0] + c * normal[1]),
        yaw + turn * length,
      );
      const gain = now - after - travelCost * travel;
      if (gain <= highest) continue;
      highest = gain;
      best = { spot, length };
    }
  }
  return best;
}

function errorOf(x: number, y: number, yaw: number): number {
  const turn = yaw - 2 * Math.PI * Math.round(yaw / (2 * Math.PI));
  return Math.hypot(x, y, turnLength * turn);
}

/** A shift towards a place in the T's frame that does not touch the T: straight on, or around it. */
function wayTo(rod: Pair, place: Pair): Pair {
  if (!blocked(rod, place)) return [place[0] - rod[0], place[1] - rod[1]];
  const angle = Math.atan2(rod[1], rod[0]);
  const radius = Math.hypot(rod[0], rod[1]);
  const out: Pair = [aroundRadius * Math.cos(angle), aroundRadius * Math.sin(angle)];
  if (radius < aroundRadius - 0.012) return [out[0] - rod[0], out[1] - rod[1]];
  const left = Math.atan2(place[1], place[0]) - angle;
  const turn = left - 2 * Math.PI * Math.round(left / (2 * Math.PI));
  const next = angle + Math.min(arc, Math.max(-arc, turn));
  return [aroundRadius * Math.cos(next) - rod[0], aroundRadius * Math.sin(next) - rod[1]];
}

function blocked(from: Pair, to: Pair): boolean {
  const count = 12;
  for (let i = 1; i <= count; i++) {
    const at = i / count;
    const point: Pair = [from[0] + at * (to[0] - from[0]), from[1] + at * (to[1] - from[1])];
    if (clearance(point) < rodRadius + 0.003) return true;
  }
  return false;
}

/** Distance of a point from the T, in m. */
function clearance(point: Pair): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { middle, half } of boxes) {
    const x = Math.max(0, Math.abs(point[0] - middle[0]) - half[0]);
    const y = Math.max(0, Math.abs(point[1] - middle[1]) - half[1]);
    least = Math.min(least, Math.hypot(x, y));
  }
  return least;
}
