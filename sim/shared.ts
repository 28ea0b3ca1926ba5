// What the worlds of one simulation share.

import type { BodyMemory } from "./bodyMemory.ts";
import type { ColorMasks } from "./colorMasks.ts";
import type { RapierCollider, RapierWorld } from "./rapier.ts";
import type { PhysicsSettings } from "./settings.ts";

export interface Shared {
  /** Another one after a snapshot was restored or `rebuild`, like `memory` and `colors`. */
  rapierWorld: RapierWorld;
  /** null where bodies are read through getters. */
  memory: BodyMemory | null;
  /** null where they were not found. */
  colors: ColorMasks | null;
  /** Colliders that the next step removes. */
  readonly retired: RapierCollider[];
  readonly settings: PhysicsSettings;
  /**
   * Puts a new Rapier world with the scenery alone in place of a robot's own; null where several share it, and
   * each takes its parts out and puts them in again.
   */
  readonly rebuild: (() => void) | null;
  /** What reported contact impulses are to be multiplied by. */
  readonly impulseScale: number;
  /** Counts whatever may have moved a body. */
  stamp: number;
}
