// Stills: a step of an episode as a picture, or many steps, evenly spread, as one sheet.

import type { Preset } from "../scene/bounds.ts";
import { drawSheet } from "../scene/sheet.ts";
import type { App } from "./app.ts";
import { shownTime, wholeTimeline } from "./capture.ts";

export interface StillOptions {
  /** Of one picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Control steps after the start; "sheet" shows many. */
  readonly step: number | "sheet";
  readonly format: "png" | "webp";
  /** Where the camera is; as the page has it where missing. */
  readonly preset?: Preset;
}

const columns = 4;
const rows = 3;

/** Draws the open episode, or its fork; the page waits meanwhile. */
export async function takeStill(app: App, options: StillOptions) {
  const { width, height, step, format, preset } = options;
  const { theatre } = app;
  const timeline = await wholeTimeline(app);
  const { controlDt } = timeline;
  const last = Math.round(shownTime(timeline) / controlDt);
  if (step !== "sheet" && step > last)
    throw new Error(`the episode has steps 0 to ${last}, not ${step}`);
  app.recording = 0;
  try {
    const canvas = theatre.fixSize(width, height);
    const draw = (at: number): HTMLCanvasElement => {
      theatre.show(timeline, at * controlDt, app.ghostShown, 1e3); // s: the camera has arrived
      return canvas;
    };
    if (preset) theatre.look(preset);
    if (step !== "sheet") return await encode(draw(step), format);
    const cells = stepsOf(last).map((at) => ({
      caption: `step ${at} · ${(at * controlDt).toFixed(2)} s`,
      draw: () => draw(at),
    }));
    const { width: across, height: down } = canvas; // even
    const theme = theatre.hall.theme;
    const sheet = await drawSheet(cells, { width: across, height: down, columns, theme });
    return await encode(sheet, format);
  } finally {
    app.recording = null;
    theatre.fit();
  }
}

/** Twelve steps from the first to the last, or all where they are fewer. */
function stepsOf(last: number): number[] {
  const count = Math.min(columns * rows, last + 1);
  return Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
}

/** Right after drawing: a canvas of WebGL keeps its picture no longer. */
async function encode(canvas: HTMLCanvasElement, format: "png" | "webp") {
  const type = `image/${format}`;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.85));
  if (!blob) throw new Error("no picture came");
  return { bytes: new Uint8Array(await blob.arrayBuffer()), type };
}
