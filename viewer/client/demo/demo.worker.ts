// The worker that simulates what somebody drives.

import { loadPhysics } from "../../../sim/rapier.ts";
import { readRecordings } from "../../../sim/readRecordings.ts";
import { DemoEpisode } from "../../demoEpisode.ts";
import { recordedTask } from "../page/recordedTask.ts";
import type { FromDemo, ToDemo } from "./messages.ts";

let episode: DemoEpisode | null = null;
let last: Promise<void> = Promise.resolve(); // messages are taken one after another

self.onmessage = ({ data }: MessageEvent<ToDemo>) => {
  last = last
    .then(() => take(data))
    .catch((error: unknown) => {
      say({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
    });
};

function say(message: FromDemo): void {
  self.postMessage(message);
}

async function take(message: ToDemo): Promise<void> {
  if (message.type === "begin") return await begin(message.template, message.seed);
  if (!episode) throw new Error("no episode has begun");
  if (message.type === "finish") return say({ type: "finished", recording: episode.recording() });
  const step = episode.step(message.action);
  if (step) say({ type: "stepped", ...step });
}

async function begin(template: Uint8Array, seed: number): Promise<void> {
  const [recording] = readRecordings(template).recordings;
  if (!recording) throw new Error("the server sent no task");
  const { header } = recording;
  const task = await recordedTask(recording, [recording]);
  const physics = await loadPhysics(header.physics.build);
  episode?.free();
  episode = new DemoEpisode(physics, task, { ...header, parameters: {}, seed });
  const scenery = [...(task.model.scenery ?? []), ...(task.settings?.scenery ?? [])];
  const facts = {
    task: task.id,
    model: { ...task.model, scenery },
    layout: episode.tracer.layout,
    controlDt: task.controlDt,
    maxEpisodeSteps: task.maxEpisodeSteps,
    actionNames: task.action.names,
  };
  say({ type: "begun", facts, chunk: episode.first });
}
