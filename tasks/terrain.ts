// Uneven ground: smooth random hills in a row of squares, one for each level of difficulty, which have the
// same hills at other heights. Robots start on the flat middle of the square that suits their level.

import type { Geom } from "../sim/model.ts";
import { createRng } from "../sim/rng.ts";

const numCells = 64; // a side of a square
const cellSize = 0.5; // m
const squareSize = numCells * cellSize; // m: farther than a robot gets in an episode, there and back
const flatRadius = 1; // m
const seed = 7; // the ground is part of the task, not of the episode

/** Shares of the hills' height, from −x to +x: the hardest stands at the origin. */
const squares: readonly number[] = [0, 0.5, 1, 0.75, 0.25];
const numColumns = squares.length * numCells + 1;

export interface Ground {
  /** What to put into the scenery; undefined where the robot's own floor will do. */
  readonly geom: Geom | undefined;
  /** Height of the ground in m, within a millimetre or two of what the physics has. */
  heightAt(x: number, y: number): number;
  /** Where on the x axis an episode of this level, from 0 to 1, starts, in m; the ground there is at 0. */
  startOf(level: number): number;
}

/** The floor at height 0. */
export const plane: Ground = { geom: undefined, heightAt: () => 0, startOf: () => 0 };

/** Hills between 0 and `height` metres at level 1, proportionally lower at the levels below, none at 0. */
export function hills(height: number): Ground {
  const square = hardestSquare(height);
  const heights = Array.from({ length: (numCells + 1) * numColumns }, (_, i) => {
    const column = i % numColumns;
    const place = Math.min(squares.length - 1, Math.floor(column / numCells));
    const row = Math.floor(i / numColumns);
    return squares[place]! * square[row * (numCells + 1) + column - place * numCells]!;
  });
  const size = [squares.length * squareSize, squareSize] as const;
  const geom: Geom = {
    name: "hills",
    shape: { type: "heightfield", rows: numCells + 1, columns: numColumns, heights, size },
    position: [0, 0, 0],
    rotation: [0, 0, 0, 1],
    friction: 0.8,
    rgba: [0.45, 0.5, 0.55, 1],
  };
  return { geom, heightAt: (x, y) => bilinear(heights, x, y), startOf };
}

function startOf(level: number): number {
  const place = squares.indexOf(Math.round(4 * level) / 4);
  return (place - (squares.length - 1) / 2) * squareSize;
}

/** Heights of the vertices, [numCells + 1, numCells + 1], in rows along x. */
function hardestSquare(height: number): readonly number[] {
  const rng = createRng(seed);
  const side = numCells + 1;
  return Array.from({ length: side * side }, (_, i) => {
    const x = ((i % side) - numCells / 2) * cellSize;
    const y = (Math.floor(i / side) - numCells / 2) * cellSize;
    const rise = rng.uniform() * height;
    return Math.sqrt(x * x + y * y) <= flatRadius ? 0 : rise;
  });
}

function bilinear(heights: readonly number[], x: number, y: number): number {
  const [column, u] = cell(x, numColumns - 1);
  const [row, v] = cell(y, numCells);
  const at = row * numColumns + column;
  const near = heights[at]! * (1 - u) + heights[at + 1]! * u;
  const far = heights[at + numColumns]! * (1 - u) + heights[at + numColumns + 1]! * u;
  return near * (1 - v) + far * v;
}

/** Index of the cell of so many that a coordinate lies in, and where within it, from 0 to 1. */
function cell(coordinate: number, count: number): [index: number, fraction: number] {
  const place = Math.min(count - 1e-9, Math.max(0, coordinate / cellSize + count / 2));
  const index = Math.floor(place);
  return [index, place - index];
}
