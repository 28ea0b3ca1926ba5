import { expect, test } from "vitest";
import { arenaIndex, BodyMemory } from "../../sim/bodyMemory.ts";
import { defaultBuild, loadPhysics, physicsBuildNamed, physicsBuilds } from "../../sim/rapier.ts";

test.each(physicsBuilds)("the %s build says what it is and shows its bodies", async (build) => {
  const physics = await loadPhysics(build);
  expect(physics.build).toBe(build);
  expect(physics.version).toMatch(/^0\.2[01]\.0$/);
  expect(physics.wasmHash).toMatch(/^[0-9a-f]{64}$/);
  expect(physics.bodyLayout).not.toBeNull();
  expect(physics.colorMasks).not.toBeNull();
  expect(await loadPhysics(build)).toBe(physics);
});

test.each(physicsBuilds)("the %s build's view equals the getters after growth", async (build) => {
  const { rapier, memory, bodyLayout } = await loadPhysics(build);
  const world = new rapier.World({ x: 0, y: 0, z: -9.81 });
  const view = new BodyMemory(world, memory, bodyLayout!);
  const bodies = Array.from({ length: 3000 }, (_, i) =>
    world.createRigidBody(rapier.RigidBodyDesc.dynamic().setTranslation(i, 2 * i, 3 * i)),
  );
  world.step();
  view.refresh();
  for (const body of bodies) {
    const at = view.start + arenaIndex(body.handle) * view.layout.stride;
    expect(view.words[at + view.layout.translation + 2]).toBe(body.translation().z);
    expect(view.words[at + view.layout.linearVelocity + 2]).toBe(body.linvel().z);
  }
  world.free();
});

test("the three builds are three different modules", async () => {
  const hashes = await Promise.all(physicsBuilds.map(async (b) => (await loadPhysics(b)).wasmHash));
  expect(new Set(hashes).size).toBe(3);
});

test("an unknown build is an error that lists the known ones", () => {
  expect(() => physicsBuildNamed("quick")).toThrow(/unknown physics build "quick"; known: simd/);
  expect(physicsBuildNamed(defaultBuild())).toBe("simd");
});
