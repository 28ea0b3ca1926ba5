// The tasks that presets are for, by what robot they have.

/** An arm's, and what is demonstrated like them. */
export const armTasks = [
  "lift-cube-v0",
  "open-drawer-v0",
  "insert-peg-v0",
  "stack-cubes-v0",
  "push-t-v0",
  "two-arm-lift-v0",
] as const;

/** Those of legs that clones and fine-tuning are tuned for. */
export const leggedTasks = [
  "hopper-hop-v0",
  "walker2d-walk-v0",
  "walker2d-run-v0",
  "halfcheetah-run-v0",
  "ant-run-v0",
  "humanoid-walk-v0",
] as const;

/** One preset for several tasks. */
export function forEach<P>(tasks: readonly string[], preset: P): Readonly<Record<string, P>> {
  return Object.fromEntries(tasks.map((task) => [task, preset]));
}
