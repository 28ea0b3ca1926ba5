import { expect, test } from "vitest";
import { loadPhysics } from "../../sim/rapier.ts";
import { createGripper, pickAndPlace } from "./gripper.ts";

test("two fingers lift a cube, do not squeeze into it and let nothing slip", async () => {
  const simulation = createGripper(await loadPhysics());
  const world = simulation.worlds[0]!;
  const [hand, left, right, cube] = ["hand", "left", "right", "cube"].map((name) =>
    world.linkIndex(name),
  ) as [number, number, number, number];
  const at = (link: number, axis: number) => world.linkPositions[3 * link + axis]!;
  const until = (seconds: number, from: number): void => {
    for (let step = 100 * from; step < 100 * seconds; step++) pickAndPlace(simulation, step);
  };
  until(1.4, 0);
  const held = at(cube, 2) - at(hand, 2);
  const start = at(cube, 2);
  until(3, 1.4);
  expect(at(cube, 2) - start).toBeGreaterThan(0.28); // m
  const lifted = at(cube, 2) - at(hand, 2);
  until(5.4, 3);
  const slip = Math.abs(at(cube, 2) - at(hand, 2) - lifted);
  const gap = at(left, 1) - at(right, 1) - 0.01; // between the fingers' faces
  expect(slip).toBeLessThan(1e-4);
  expect(Math.abs(lifted - held)).toBeLessThan(2e-3);
  expect(0.05 - gap).toBeLessThan(1e-3);
  until(7.9, 5.4);
  expect(at(cube, 2)).toBeLessThan(0.027);
  simulation.free();
});
