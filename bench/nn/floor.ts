// The floor of an update: its matrix products alone, at the rate this machine multiplies.

import { compile } from "../../nn/compile.ts";
import { matMul, type Tensor } from "../../nn/ops.ts";
import type { ArraySpec } from "../../nn/tree.ts";
import { createRng } from "../../sim/rng.ts";
import { type Contender, repeatFor } from "../measure.ts";

const observation = 27;
const action = 8;
const hidden = 256;
const batch = 256;

/** Multiply-adds × 2 of one network's weights for one batch. */
function passFlops(inputs: number, outputs: number): number {
  return 2 * batch * (inputs * hidden + hidden * hidden + hidden * outputs);
}

/** Floating-point operations of the update's matrix products, two critics, batch 256. */
export const updateFlops = (() => {
  const actor = passFlops(observation, 2 * action);
  const critics = 2 * passFlops(observation + action, 1);
  const hiddenGradients = (outputs: number) => 2 * batch * (hidden * hidden + hidden * outputs);
  const target = actor + critics;
  const criticLoss = critics + critics + 2 * hiddenGradients(1); // forward, weights, inputs
  const throughCritics = 2 * (hiddenGradients(1) + 2 * batch * hidden * action);
  const actorLoss = actor + critics + throughCritics + actor + hiddenGradients(2 * action);
  return target + criticLoss + actorLoss;
})();

const products = 20;
const productFlops = 2 * hidden ** 3;

/** Time of the update's products at the rate of the measured ones. */
export function floorMilliseconds(productMilliseconds: number): number {
  return (updateFlops / (products * productFlops)) * productMilliseconds;
}

/** Twenty products of the hidden layers' size, in pairs as the critics are; what they touch fits the cache. */
export async function sgemmContender(name: string, threads: number): Promise<Contender> {
  const rng = createRng(1);
  const draws = Float32Array.from({ length: 2 * hidden * hidden }, () => rng.normal() / 16);
  const matrices: ArraySpec = { shape: [2, hidden, hidden], dtype: "float32" };
  const multiply = (_: object, { a, b }: { a: Tensor; b: Tensor }) => {
    let product = a; // entries keep their size: b's rows have norm 1
    for (let i = 0; i < products / 2; i++) product = matMul(product, b);
    return [{}, { product }] as const;
  };
  const example = { state: {}, inputs: { a: matrices, b: matrices } };
  const program = await compile(multiply, example, { threads, name: "sgemm" });
  return {
    case: name,
    name: `Salle, ${threads} thread${threads === 1 ? "" : "s"}, 20 products`,
    sample: (milliseconds) =>
      repeatFor(milliseconds, () => program.run({ a: draws, b: draws }, { outputs: [] })),
    dispose: () => program.dispose(),
  };
}
