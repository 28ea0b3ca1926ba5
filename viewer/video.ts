// Videos and stills of recorded episodes, drawn by the viewer's own page in headless Chromium.

import type { VideoOptions } from "./client/page/capture.ts";
import type { StillOptions } from "./client/page/stills.ts";
import { type EpisodeRequest, fileOf, withEpisode } from "./openEpisode.ts";

export type VideoRequest = EpisodeRequest & VideoOptions;
export type StillRequest = EpisodeRequest & StillOptions;

export interface Video {
  readonly bytes: Buffer;
  readonly extension: "mp4" | "webm";
}

/** Simulates an episode again and films it at its own exact times. */
export async function renderVideo(request: VideoRequest): Promise<Video> {
  const { width, height, speed = 1 } = request;
  const options: VideoOptions = { width, height, speed };
  const { bytes, type } = await withEpisode(request, (page) =>
    fileOf(page, `salleVideo(${JSON.stringify(options)})`),
  );
  return { bytes, extension: type === "video/mp4" ? "mp4" : "webm" };
}

/** Simulates an episode again and draws a step of it, or a sheet of many; the bytes of a picture's file. */
export async function renderStill(request: StillRequest): Promise<Buffer> {
  const { width, height, step, format, preset } = request;
  const options: StillOptions = { width, height, step, format, ...(preset && { preset }) };
  const still = await withEpisode(request, (page) =>
    fileOf(page, `salleStill(${JSON.stringify(options)})`),
  );
  return still.bytes;
}
