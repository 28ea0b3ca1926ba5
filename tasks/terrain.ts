// Uneven ground: smooth random hills, flat around the middle where robots start.

import type { Geom } from "../sim/model.ts";
import { createRng } from "../sim/rng.ts";

const numCells = 64; // a side
const cellSize = 0.5; // m
const flatRadius = 1; // m
const seed = 7; // the ground is part of the task, not of the episode

export interface Ground {
  /** What to put into the scenery; undefined where the robot's own floor will do. */
  readonly geom: Geom | undefined;
  /** Height of the ground in m, within a millimetre or two of what the physics has. */
  heightAt(x: number, y: number): number;
}

/** The floor at height 0. */
export const plane: Ground = { geom: undefined, heightAt: () => 0 };

/** Hills between 0 and `height` metres. */
export function hills(height: number): Ground {
  const rng = createRng(seed);
  const side = numCells + 1;
  const heights = Array.from({ length: side * side }, (_, i) => {
    const x = ((i % side) - numCells / 2) * cellSize;
    const y = (Math.floor(i / side) - numCells / 2) * cellSize;
    const rise = rng.uniform() * height;
    return Math.sqrt(x * x + y * y) <= flatRadius ? 0 : rise;
  });
  const size = [numCells * cellSize, numCells * cellSize] as const;
  const geom: Geom = {
    name: "hills",
    shape: { type: "heightfield", rows: side, columns: side, heights, size },
    position: [0, 0, 0],
    rotation: [0, 0, 0, 1],
    friction: 0.8,
    rgba: [0.45, 0.5, 0.55, 1],
  };
  return { geom, heightAt: (x, y) => bilinear(heights, x, y) };
}

function bilinear(heights: readonly number[], x: number, y: number): number {
  const [column, u] = cell(x);
  const [row, v] = cell(y);
  const at = row * (numCells + 1) + column;
  const near = heights[at]! * (1 - u) + heights[at + 1]! * u;
  const far = heights[at + numCells + 1]! * (1 - u) + heights[at + numCells + 2]! * u;
  return near * (1 - v) + far * v;
}

/** Index of the cell that a coordinate lies in, and where within it, from 0 to 1. */
function cell(coordinate: number): [index: number, fraction: number] {
  const place = Math.min(numCells - 1e-9, Math.max(0, coordinate / cellSize + numCells / 2));
  const index = Math.floor(place);
  return [index, place - index];
}
