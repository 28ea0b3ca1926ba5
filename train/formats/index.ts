// The formats of other tools, by name. A new one is one file and one line.

import { d4rl } from "./d4rl.ts";
import type { Format } from "./format.ts";
import { lerobot } from "./lerobot.ts";
import { minari } from "./minari.ts";
import { robomimic } from "./robomimic.ts";

export const formats: Readonly<Record<string, Format>> = { minari, d4rl, robomimic, lerobot };
