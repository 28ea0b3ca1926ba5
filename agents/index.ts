// The algorithms, by name. A new algorithm is one file and one line.

import type { AnyAlgorithm } from "./agent.ts";

export const algorithms: Readonly<Record<string, AnyAlgorithm>> = {};
