// The algorithms, by name. A new algorithm is one file and one line.

import type { AnyAlgorithm } from "./agent.ts";
import { fastSac } from "./fastSac.ts";
import { fastTd3 } from "./fastTd3.ts";
import { ppo } from "./ppo.ts";
import { sac } from "./sac.ts";
import { td3 } from "./td3.ts";

export const algorithms: Readonly<Record<string, AnyAlgorithm>> = {
  fastSac,
  fastTd3,
  ppo,
  sac,
  td3,
};
