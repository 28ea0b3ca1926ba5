// The losses that flows and diffusions are cloned by, on demonstrations beside a rollout: CHORD's part (agents/chord.ts).

import { type ChordConfig, errorImitation } from "../agents/chord.ts";
import type { OnPolicyInputs } from "../agents/rows.ts";
import type { Activation } from "../nn/layers.ts";
import { cast, floor, mul, sub, type Tensor } from "../nn/ops.ts";
import { type ActionNormalizer, fromActions } from "./actionNormalizer.ts";
import { noised } from "./diffusion.ts";
import { chunkErrors, straightTargets } from "./flowLoss.ts";
import { type VelocityParams, velocity } from "./flowNet.ts";

type Config = Pick<ChordConfig, "chordWeighting"> & { readonly activation: Activation };

/** mean φ error of a flow's velocities, a scalar; null without demonstrations. */
export function flowImitation(
  flow: VelocityParams<Tensor>,
  normalizer: ActionNormalizer<Tensor>,
  { demonstrations }: Pick<OnPolicyInputs, "demonstrations">,
  config: Config,
): Tensor | null {
  if (demonstrations === undefined) return null;
  const { observations, actions, mask, normals, uniforms } = demonstrations;
  const data = fromActions(normalizer, actions);
  const { points, times, velocities } = straightTargets(normals, data, uniforms);
  const guess = velocity(flow, points, { times }, observations, config.activation);
  return errorImitation(chunkErrors(sub(guess, velocities), mask), config);
}

/** mean φ error of a diffusion's noise, a scalar; null without demonstrations. */
export function diffusionImitation(
  network: VelocityParams<Tensor>,
  normalizer: ActionNormalizer<Tensor>,
  { demonstrations }: Pick<OnPolicyInputs, "demonstrations">,
  config: Config & { readonly diffusionSteps: number },
): Tensor | null {
  if (demonstrations === undefined) return null;
  const { observations, actions, mask, normals, uniforms } = demonstrations;
  const steps = cast(floor(mul(uniforms, config.diffusionSteps)), "int32");
  const data = fromActions(normalizer, actions);
  const points = noised(data, { noise: normals, steps }, config.diffusionSteps);
  const times = { times: cast(steps, "float32") };
  const guess = velocity(network, points, times, observations, config.activation);
  return errorImitation(chunkErrors(sub(guess, normals), mask), config);
}
