// The algorithms, by name. A new algorithm is one file and one line.

import type { AnyAlgorithm } from "./agent.ts";
import { sac } from "./sac.ts";
import { td3 } from "./td3.ts";

export const algorithms: Readonly<Record<string, AnyAlgorithm>> = { sac, td3 };
