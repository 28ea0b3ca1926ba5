// A scene for hands: two fingers on a lift take a cube off the floor.

import { parseMjcf } from "../../sim/mjcf.ts";
import type { Physics } from "../../sim/rapier.ts";
import type { PhysicsSettings } from "../../sim/settings.ts";
import { Simulation } from "../../sim/simulation.ts";

const scene = `<mujoco model="gripper">
  <worldbody>
    <geom name="floor" type="plane"/>
    <body name="hand" pos="0 0 0.15">
      <joint name="lift" type="slide" axis="0 0 1" range="-0.13 0.4" damping="20"/>
      <geom name="palm" type="box" size="0.02 0.08 0.02" pos="0 0 0.06" mass="1"/>
      <body name="left" pos="0 0.05 0">
        <joint name="left" type="slide" axis="0 -1 0" range="0 0.045" damping="5"/>
        <geom name="left" type="box" size="0.015 0.005 0.04" mass="0.1"/>
      </body>
      <body name="right" pos="0 -0.05 0">
        <joint name="right" type="slide" axis="0 1 0" range="0 0.045" damping="5"/>
        <geom name="right" type="box" size="0.015 0.005 0.04" mass="0.1"/>
      </body>
    </body>
    <body name="cube" pos="0 0 0.025">
      <freejoint name="cube"/>
      <geom name="cube" type="box" size="0.025 0.025 0.025" mass="0.2"/>
    </body>
  </worldbody>
  <actuator>
    <position name="lift" joint="lift" kp="2000" kv="200" ctrlrange="-0.13 0.4"/>
    <motor name="left" joint="left" gear="10"/>
    <motor name="right" joint="right" gear="10"/>
  </actuator>
</mujoco>`;

/** What grippers want: stiff contacts between moving bodies, found anew in every step. */
export const gripperSettings: Partial<PhysicsSettings> = {
  timestep: 0.01,
  solverIterations: 8,
  pgsIterations: 4,
  contactFrequency: 120,
  selfCollision: true,
  smallParts: ["left", "right", "cube"],
};

export function createGripper(physics: Physics): Simulation {
  const { model } = parseMjcf(scene, { file: "gripper.xml" });
  return new Simulation(physics, model, { settings: gripperSettings });
}

/** The action that holds the lift at a height in m above its lowest and grips (1) or opens (−1). */
export function gripAction(height: number, grip: number): Float32Array {
  return Float32Array.of(height / 0.265 - 1, grip, grip);
}

/** Reaches down, closes and lifts by 0.3 m again and again, one physics step at a time. */
export function pickAndPlace(simulation: Simulation, step: number): void {
  const seconds = (step * gripperSettings.timestep!) % 8;
  const grip = seconds > 0.8 && seconds < 6.8 ? 0.8 : -0.5;
  const rise = Math.min(1, Math.max(0, seconds - 1.5)) - Math.min(1, Math.max(0, seconds - 5.5));
  simulation.worlds[0]!.setControls(gripAction(0.01 + 0.3 * rise, grip));
  simulation.step(1);
}
