// What a task module outside of Salle is handed: everything that Salle's own tasks are made with.

import { atan2, cos, exp, sin, tanh } from "../sim/math.ts";
import { floor } from "../sim/settings.ts";
import { unboundedSpace } from "../sim/space.ts";
import { genericTask } from "./generic.ts";
import {
  alongAxis,
  axisOf,
  between,
  meanSquare,
  meanSquareChange,
  speedAhead,
  speedLeft,
  startFacing,
  startNear,
  startOnGround,
} from "./posture.ts";
import { tolerance } from "./rewards.ts";
import { loadRobotFile } from "./robotFiles.ts";
import { driveSpace } from "./robots.ts";

/** The second argument of a module's `createTask(id, kit)`. */
export const kit = {
  loadRobotFile,
  genericTask,
  tolerance,
  unboundedSpace,
  driveSpace,
  floor,
  between,
  axisOf,
  alongAxis,
  speedAhead,
  speedLeft,
  meanSquare,
  meanSquareChange,
  startNear,
  startFacing,
  startOnGround,
  math: { sin, cos, atan2, exp, tanh },
} as const;
export type Kit = typeof kit;
