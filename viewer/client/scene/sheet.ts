// Sheet: many pictures as one, each with its caption below.

import type { Theme } from "./looks.ts";

export interface SheetCell {
  readonly caption: string;
  /** The picture; it may be gone when the next one is drawn. */
  draw(): HTMLCanvasElement | Promise<HTMLCanvasElement>;
}

export interface SheetLayout {
  /** Of one picture, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly theme: Theme;
}

const gap = 6; // pixels between the pictures
const captionHeight = 26; // pixels

/** Draws the cells row by row; fresh. */
export async function drawSheet(
  cells: readonly SheetCell[],
  { width, height, columns, theme }: SheetLayout,
): Promise<HTMLCanvasElement> {
  const rows = Math.ceil(cells.length / columns);
  const sheet = document.createElement("canvas");
  sheet.width = Math.min(columns, cells.length) * (width + gap) - gap;
  sheet.height = rows * (height + captionHeight + gap) - gap;
  const context = sheet.getContext("2d")!;
  context.fillStyle = theme === "light" ? "#ffffff" : "#0d1117";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = theme === "light" ? "#30363d" : "#c9d1d9";
  context.font = "13px ui-sans-serif, system-ui, sans-serif";
  context.textBaseline = "middle";
  for (const [i, { caption, draw }] of cells.entries()) {
    const x = (i % columns) * (width + gap);
    const y = Math.floor(i / columns) * (height + captionHeight + gap);
    const picture = draw();
    // Without waiting where it is there: a canvas of WebGL keeps its picture no longer.
    context.drawImage(picture instanceof HTMLCanvasElement ? picture : await picture, x, y);
    context.fillText(caption, x + 4, y + height + captionHeight / 2);
  }
  return sheet;
}
