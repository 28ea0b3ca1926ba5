// Robots' files beside the tasks, wherever the code runs.

import { parseMjcf } from "../sim/mjcf.ts";
import type { RobotModel } from "../sim/model.ts";
import { type Space, unitSpace } from "../sim/space.ts";

/** The robot in a file: from disk under Node, over the network in a browser. */
export async function loadRobot(url: URL): Promise<RobotModel> {
  const file = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
  return parseMjcf(await readText(url), { file }).model;
}

/** An action for each of the robot's drives. */
export function driveSpace({ actuators }: RobotModel): Space {
  return unitSpace(actuators.map(({ name }) => name));
}

/** A text file, from disk under Node, over the network in a browser. */
export async function readText(url: URL): Promise<string> {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return await readFile(url, "utf8");
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  return await response.text();
}
