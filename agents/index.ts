// The algorithms, by name. A new algorithm is one file and one line.

import type { AnyAlgorithm } from "./agent.ts";
import { sac } from "./sac.ts";

export const algorithms: Readonly<Record<string, AnyAlgorithm>> = { sac };
