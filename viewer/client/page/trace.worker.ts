// The worker that simulates an episode with the trainer's physics, and forks of it.

import { loadPhysics } from "../../../sim/rapier.ts";
import { readRecordings } from "../../../sim/readRecordings.ts";
import type { Recording } from "../../../sim/recording.ts";
import type { Task } from "../../../sim/task.ts";
import { createTask } from "../../../tasks/index.ts";
import { loadPagePolicy } from "../../pagePolicy.ts";
import { randomRecording } from "../../randomRecording.ts";
import { type TraceChunk, Tracer } from "../../trace.ts";
import type { EpisodeInput, FromWorker, Predicted, ToWorker } from "./messages.ts";
import { recordedTask } from "./recordedTask.ts";

const chunkSteps = 25;
const firstSteps = 2; // soon something to see
const firstPause = 100; // ms after them in which the processor draws it
const longestPause = 1000; // ms, where the page has still to build itself before it can
let tracer: Tracer | null = null;
let goOn: () => void = () => undefined; // ends the pause
let simulated: Promise<void> = Promise.resolve(); // the recorded episode, before any fork of it
// Most episodes want the usual build, and loading it is what takes longest; a shared page may lack it.
loadPhysics().catch(() => undefined);

function say(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => obey(data);
// What the page opens first is the worker's name (spareWorker.ts).
const named = self.name !== "";
if (named) obey({ type: "open", input: JSON.parse(self.name) as EpisodeInput });

function obey(message: ToWorker): void {
  take(message).catch((error: unknown) => {
    say({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  });
}

async function take(message: ToWorker): Promise<void> {
  if (message.type === "open") {
    simulated = open(message.input);
    return await simulated;
  }
  if (message.type === "goOn") return goOn();
  await simulated;
  if (!tracer) throw new Error("no episode is open");
  if (message.type === "push") tracer.push(message.link, message.impulse);
  else if (message.type === "advance") sendChunk(tracer.advance(message.count), true);
  else {
    const { observation, action } = tracer.task;
    const policy = message.policy && loadPagePolicy(message.policy, observation.size, action.size);
    if (message.type === "ask") {
      const answers = tracer.answers(policy!);
      return say({ type: "answers", answers }, [answers.actions.buffer]);
    }
    if (message.type === "fan") return say({ type: "fan", fan: tracer.fan(message.step, policy!) });
    const hash = tracer.branch(message.step, message.changes, policy);
    say({ type: "forked", step: message.step, hash });
  }
}

async function open(input: EpisodeInput): Promise<void> {
  const { recording, numEpisodes, task } = await recordingOf(input);
  const physics = await loadPhysics(recording.header.physics.build);
  tracer = new Tracer(physics, task, recording);
  const { layout, numSteps, world } = tracer;
  const { source, predicted } = recording.header.parameters;
  const facts = {
    task: task.id,
    source: typeof source === "string" ? source : null,
    policy: recording.header.policy,
    model: {
      ...task.model,
      scenery: [...(task.model.scenery ?? []), ...(task.settings?.scenery ?? [])],
    },
    layout,
    controlDt: task.controlDt,
    numSteps,
    totalMass: world.plan.totalMass,
    numEpisodes,
    predicted: predictedOf(predicted, recording.actions.length),
  };
  say({ type: "opened", facts });
  while (!tracer.done) {
    const first = tracer.numTraced === 0;
    sendChunk(tracer.advance(first ? firstSteps : chunkSteps), false);
    // Lets the page end it meanwhile.
    await pause(first ? (named ? longestPause : firstPause) : 0);
  }
  say({ type: "done", numVerified: tracer.numVerified, mismatch: tracer.mismatch });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    goOn = resolve;
    setTimeout(resolve, ms);
  });
}

interface Opened {
  readonly recording: Recording;
  readonly numEpisodes: number; // in the file
  readonly task: Task;
}

async function recordingOf(input: EpisodeInput): Promise<Opened> {
  if (input.type === "random") {
    const task = await createTask(input.task);
    const recording = randomRecording(await loadPhysics(), task, input.seed);
    return { recording, numEpisodes: 1, task };
  }
  const { recordings, problems } = readRecordings(input.bytes);
  const recording = recordings[input.index];
  if (!recording)
    throw new Error(
      problems[0] ?? `the file has ${recordings.length} episodes, not ${input.index + 1}`,
    );
  const task = await recordedTask(recording, recordings);
  return { recording, numEpisodes: recordings.length, task };
}

/** Checked: a file may say anything. */
function predictedOf(value: unknown, length: number): Predicted | null {
  const { by, actions } = (value ?? {}) as Partial<Predicted>;
  if (typeof by !== "string" || !Array.isArray(actions) || actions.length !== length) return null;
  return actions.every(Number.isFinite) ? { by, actions } : null;
}

function sendChunk(chunk: TraceChunk, fork: boolean): void {
  const { rows, contacts, numContacts } = chunk;
  say({ type: "chunk", chunk, fork }, [rows.buffer, contacts.buffer, numContacts.buffer]);
}
