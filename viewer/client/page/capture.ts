// Capture: a picture of what is shown, and a video of the whole episode at its own exact times.

import type { App } from "./app.ts";
import { el } from "./dom.ts";
import type { Timeline } from "./timeline.ts";
import type { VideoFile } from "./video.ts";

export interface VideoOptions {
  /** Pixels; as large as the picture on the page where missing. Odd ones lose one. */
  readonly width?: number;
  readonly height?: number;
  /** Seconds of the episode that pass in a second; 1 where missing. */
  readonly speed?: number;
}

const mostFrames = 60; // a second

/** Seconds between a video's frames: each shows a whole step, at no more than 60 a second. */
export function frameTime(controlDt: number, speed: number): number {
  const perStep = controlDt / speed;
  if (perStep >= 1 / mostFrames - 1e-9) return perStep;
  return perStep * Math.ceil(1 / mostFrames / perStep - 1e-9);
}

/** What of an episode a video shows, in s: until it ended, and of a fork all that there is. */
export function shownTime({ duration, endedAt, controlDt }: Timeline): number {
  return endedAt === null ? duration : Math.min(duration, endedAt * controlDt);
}

/** Records the page's open episode, or its fork, by drawing every frame anew; the page waits meanwhile. */
export async function recordVideo(app: App, options: VideoOptions = {}): Promise<VideoFile> {
  const { theatre } = app;
  const timeline = await wholeTimeline(app);
  app.recording = 0;
  try {
    const { speed = 1 } = options;
    const between = frameTime(timeline.controlDt, speed);
    const canvas = theatre.fixSize(options.width, options.height);
    const { encodeVideo } = await import("./video.ts");
    return await encodeVideo({
      canvas,
      count: Math.floor(shownTime(timeline) / (between * speed) + 1e-6) + 1,
      frameRate: 1 / between,
      draw: (index) =>
        theatre.show(
          timeline,
          index * between * speed,
          app.ghostShown,
          index === 0 ? 1e3 : between,
        ),
      progress: (share) => {
        app.recording = share;
      },
    });
  } finally {
    app.recording = null;
    theatre.fit();
  }
}

/** What the open episode, or its fork, has to show, when all of it is simulated and on the stage. */
export async function wholeTimeline(app: App): Promise<Timeline> {
  const { episode } = app;
  if (!episode) throw new Error("no episode is open");
  while (!episode.finished || app.opened !== episode) {
    if (episode.failure !== null) throw new Error(episode.failure);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return episode.timeline!;
}

/** Lets the reader keep a file. */
function save(blob: Blob, name: string): void {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Saves the video or the picture of what is open under its name; what fails is said on the page. */
export async function saveAs(app: App, what: "video" | "picture"): Promise<void> {
  const name = [app.episode?.facts?.task ?? "salle", app.address.episode?.replace(/\.rec$/, "")];
  const base = name.filter((part) => part !== undefined).join("-");
  if (app.recording !== null) return;
  try {
    if (what === "picture") return save(await app.theatre.picture(), `${base}.png`);
    const { bytes, type } = await recordVideo(app);
    save(new Blob([bytes], { type }), `${base}.${type.slice("video/".length)}`);
  } catch (error) {
    app.problem = error instanceof Error ? error.message : String(error);
  }
}
