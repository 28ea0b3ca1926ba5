// A file of recorded episodes that `salle eval` and `salle play` write: what their --record asks for.

import { closeSync, openSync, writeSync } from "node:fs";
import { EpisodeRecorder, type EpisodeRecorderOptions } from "../sim/episodeRecorder.ts";
import { loadPhysics, type PhysicsBuild } from "../sim/rapier.ts";
import type { Spectator } from "../tasks/experts/demonstrate.ts";
import { gitCommit } from "./version.ts";

type Header = EpisodeRecorderOptions["header"];

export interface RecordingFile {
  readonly path: string;
  readonly header: Header;
  append(bytes: Uint8Array): void;
  close(): void;
}

interface Played extends Pick<Header, "seed" | "policy"> {
  /** The default one where missing. */
  readonly build?: PhysicsBuild | undefined;
}

/** What recordings made by this command line say of where they come from. */
export async function recordingHeader({ seed, policy, build: wanted }: Played): Promise<Header> {
  const { build, version, wasmHash } = await loadPhysics(wanted);
  const physics = { build, version, wasmHash };
  return { physics, parameters: {}, seed, policy, gitCommit: gitCommit() ?? "" };
}

/** A new file; refuses one that is there. */
export async function createRecordingFile(path: string, from: Played): Promise<RecordingFile> {
  const header = await recordingHeader(from);
  const file = openNew(path);
  return {
    path,
    header,
    append: (bytes) => void writeSync(file, bytes),
    close: () => closeSync(file),
  };
}

/** Records what it sees. */
export function recordingSpectator({ header, append }: RecordingFile): Spectator {
  let recorder: EpisodeRecorder | undefined;
  return {
    reset(envs, seed) {
      recorder?.dispose();
      recorder = new EpisodeRecorder(envs, { header: { ...header, seed } });
      recorder.begin();
    },
    step(_envs, action) {
      for (const { bytes } of recorder!.add(action)) append(bytes);
    },
  };
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Error(`--record wants a new file, and ${path} exists`);
  }
}
