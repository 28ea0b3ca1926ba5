// Video: frames that a canvas is made to show one after another → a file; the one door to mediabunny.

import {
  BufferTarget,
  CanvasSource,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  Quality,
  WebMOutputFormat,
} from "mediabunny";

export interface VideoFrames {
  readonly canvas: HTMLCanvasElement;
  readonly count: number;
  readonly frameRate: number; // Hz
  /** Draws frame `index` on the canvas, now. */
  draw(index: number): void;
  /** Told the share that is done after each frame. */
  progress(share: number): void;
}

export interface VideoFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: "video/mp4" | "video/webm";
}

/** Encodes frames at exact times: H.264 in MP4 where the browser can, else VP9 or VP8 in WebM. */
export async function encodeVideo(frames: VideoFrames): Promise<VideoFile> {
  const { width, height } = frames.canvas;
  const h264 = await getFirstEncodableVideoCodec(["avc"], { width, height });
  const codec = h264 ?? (await getFirstEncodableVideoCodec(["vp9", "vp8"], { width, height }));
  if (codec === null)
    throw new Error(`this browser encodes neither H.264, VP9 nor VP8 at ${width}×${height}`);
  const target = new BufferTarget();
  const format = h264 ? new Mp4OutputFormat() : new WebMOutputFormat();
  const output = new Output({ format, target });
  const source = new CanvasSource(frames.canvas, {
    codec,
    quality: new Quality("high"),
    sizeChangeBehavior: "contain",
  });
  output.addVideoTrack(source, { frameRate: frames.frameRate });
  await output.start();
  for (let index = 0; index < frames.count; index++) {
    frames.draw(index);
    await source.add(index / frames.frameRate, 1 / frames.frameRate);
    frames.progress((index + 1) / frames.count);
  }
  await output.finalize();
  if (!target.buffer) throw new Error("the video has no bytes");
  return { bytes: new Uint8Array(target.buffer), type: h264 ? "video/mp4" : "video/webm" };
}
