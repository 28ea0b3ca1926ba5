// What the worlds of one simulation share.

import type { BodyMemory } from "./bodyMemory.ts";
import type { ColorMasks } from "./colorMasks.ts";
import type { RapierWorld } from "./rapier.ts";
import type { PhysicsSettings } from "./settings.ts";

export interface Shared {
  /** Another one after a snapshot was restored, like `memory` and `colors`. */
  rapierWorld: RapierWorld;
  /** null where bodies are read through getters. */
  memory: BodyMemory | null;
  /** null where they were not found. */
  colors: ColorMasks | null;
  readonly settings: PhysicsSettings;
  /** What reported contact impulses are to be multiplied by. */
  readonly impulseScale: number;
  /** Counts whatever may have moved a body. */
  stamp: number;
}
