// Algorithms that begin with something: demonstrations, logged data, an old policy. By name; a new one is one
// file and one line.

import type { AnyAlgorithm } from "../agents/agent.ts";
import { dppo } from "./dppo.ts";
import { reinflow } from "./reinflow.ts";
import { residual } from "./residual.ts";

export const finetuners: Readonly<Record<string, AnyAlgorithm>> = { dppo, reinflow, residual };
