// The page that draws pictures of tasks: viewer/pictures.ts calls it in headless Chromium.

import { createRng } from "../../sim/rng.ts";
import { rollOut } from "./rollOut.ts";
import { boundsOf, type Preset } from "./scene/bounds.ts";
import { Hall } from "./scene/hall.ts";
import { looks, type Theme } from "./scene/looks.ts";
import { MarksView } from "./scene/marks.ts";

/** A picture of one instant; sizes in pixels. */
export interface PictureRequest {
  readonly task: string;
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

const gap = 6; // pixels between the pictures of a sheet
const caption = 26; // pixels

async function drawCanvas(request: PictureRequest): Promise<HTMLCanvasElement> {
  const { theme, width, height, numRobots = 1 } = request;
  const { task, poses, marks } = await rollOut(request.task, request.step, request.seed);
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

async function drawSheet({ pictures, columns }: SheetRequest): Promise<HTMLCanvasElement> {
  const { width, height, theme } = pictures[0]!;
  const rows = Math.ceil(pictures.length / columns);
  const sheet = document.createElement("canvas");
  sheet.width = columns * (width + gap) - gap;
  sheet.height = rows * (height + caption + gap) - gap;
  const context = sheet.getContext("2d")!;
  context.fillStyle = theme === "light" ? "#ffffff" : "#0d1117";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = theme === "light" ? "#30363d" : "#c9d1d9";
  context.font = "13px ui-sans-serif, system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const [i, picture] of pictures.entries()) {
    const x = (i % columns) * (width + gap);
    const y = Math.floor(i / columns) * (height + caption + gap);
    context.drawImage(await drawCanvas(picture), x, y);
    context.fillText(picture.task, x + 4, y + height + caption / 2);
  }
  return sheet;
}

function encode(canvas: HTMLCanvasElement, format: "png" | "webp"): string {
  return canvas.toDataURL(`image/${format}`, 0.85).replace(/^[^,]*,/, "");
}

const page: PicturesPage = {
  draw: async (request) => encode(await drawCanvas(request), request.format),
  sheet: async (request) => encode(await drawSheet(request), request.pictures[0]!.format),
};
Object.assign(globalThis, { pictures: page });
