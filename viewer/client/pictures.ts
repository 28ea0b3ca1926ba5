// The page that draws pictures of tasks: viewer/pictures.ts calls it in headless Chromium.

import { createRng } from "../../sim/rng.ts";
import { bundledTask, type TaskBundle } from "../../tasks/bundle.ts";
import { createTask } from "../../tasks/index.ts";
import { rollOut } from "./rollOut.ts";
import { boundsOf, type Preset } from "./scene/bounds.ts";
import { Hall } from "./scene/hall.ts";
import { looks, type Theme } from "./scene/looks.ts";
import { MarksView } from "./scene/marks.ts";
import { drawSheet } from "./scene/sheet.ts";

/** A picture of one instant; sizes in pixels. */
export interface PictureRequest {
  /** A registered task, or what the bundle's is called. */
  readonly task: string;
  /** The files of a task that is not registered. */
  readonly bundle?: TaskBundle;
  /** Control steps of random actions after the start. */
  readonly step: number;
  readonly seed: number;
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  readonly format: "png" | "webp";
  readonly preset?: Preset;
  /** Robots in a grid; 1 where missing. */
  readonly numRobots?: number;
}

/** Many pictures as one, each with its name below. */
export interface SheetRequest {
  readonly pictures: readonly PictureRequest[];
  readonly columns: number;
}

/** What the page offers; pictures come as base64. */
export interface PicturesPage {
  draw(request: PictureRequest): Promise<string>;
  sheet(request: SheetRequest): Promise<string>;
}

async function drawCanvas(request: PictureRequest): Promise<HTMLCanvasElement> {
  const { theme, width, height, numRobots = 1 } = request;
  const { bundle, step, seed } = request;
  const task = await (bundle ? bundledTask(bundle) : createTask(request.task));
  const { poses, marks } = await rollOut(task, step, seed);
  const canvas = document.createElement("canvas");
  const hall = new Hall({ canvas, theme, keepPicture: true });
  hall.resize(width, height);
  hall.furnish(task.model, poses, marks, request.preset);
  hall.add(task.model, { numRobots }).setPoses(grid(poses, numRobots));
  const marksView = new MarksView();
  marksView.setColor(looks[theme].mark);
  marksView.set(marks);
  hall.stage.scene.add(marksView.object);
  hall.draw(1, boundsOf(task.model, poses, marks));
  return canvas;
}

/** The same poses many times, 2.5 m apart, turned at random so that they are told from each other. */
function grid(poses: Float32Array, numRobots: number): Float32Array {
  const side = Math.ceil(Math.sqrt(numRobots));
  const rng = createRng(1);
  const all = new Float32Array(numRobots * poses.length);
  for (let robot = 0; robot < numRobots; robot++) {
    all.set(poses, robot * poses.length);
    if (numRobots === 1) break;
    for (let at = robot * poses.length; at < (robot + 1) * poses.length; at += 7) {
      all[at]! += 2.5 * ((robot % side) - (side - 1) / 2);
      all[at + 1]! += 2.5 * (Math.floor(robot / side) - (side - 1) / 2) + 0.2 * rng.uniform();
    }
  }
  return all;
}

function sheetOf({ pictures, columns }: SheetRequest): Promise<HTMLCanvasElement> {
  const { width, height, theme } = pictures[0]!;
  const cells = pictures.map((picture) => ({
    caption: picture.task,
    draw: () => drawCanvas(picture),
  }));
  return drawSheet(cells, { width, height, columns, theme });
}

function encode(canvas: HTMLCanvasElement, format: "png" | "webp"): string {
  return canvas.toDataURL(`image/${format}`, 0.85).replace(/^[^,]*,/, "");
}

const page: PicturesPage = {
  draw: async (request) => encode(await drawCanvas(request), request.format),
  sheet: async (request) => encode(await sheetOf(request), request.pictures[0]!.format),
};
Object.assign(globalThis, { pictures: page });
