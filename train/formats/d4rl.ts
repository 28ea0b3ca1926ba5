// D4RL files (arXiv:2004.07219): all episodes' rows in one table, with flags where one ends.
//
// next_observations is written, as the locomotion files of version 2 have it. A file without it has lost the
// state that a time limit cut off: that step is dropped, as D4RL's own loader does; terminal steps stay.

import type { WrittenEpisode } from "../datasetWriter.ts";
import {
  checkShape,
  closeRows,
  type Format,
  infoOf,
  lastFlag,
  noteOf,
  withLast,
} from "./format.ts";
import { Hdf5Reader, Hdf5Writer } from "./hdf5.ts";

export const d4rl: Format = {
  ending: ".hdf5",
  loses: "recordings, snapshots, seeds and who acted",

  async write(dataset, path) {
    const { observationSize, actionSize } = dataset.info;
    const { numSteps, episodes } = dataset;
    const writer = await Hdf5Writer.create(path);
    writer.describe({ salle: noteOf(dataset) });
    writer.group("infos");
    const observations = writer.growing("observations", observationSize);
    const next = writer.growing("next_observations", observationSize);
    const actions = writer.growing("actions", actionSize);
    const rewards = writer.growing("rewards", null);
    const [terminals, timeouts, successes] = [0, 0, 0].map(() => new Uint8Array(numSteps));
    for (const [index, { length, terminated, success }] of episodes.entries()) {
      const episode = dataset.episode(index);
      observations.append(episode.observations.slice(0, length * observationSize));
      next.append(episode.observations.slice(observationSize));
      actions.append(episode.actions);
      rewards.append(episode.rewards);
      const { step } = dataset.places[index]!;
      terminals!.set(lastFlag(length, terminated), step);
      timeouts!.set(lastFlag(length, !terminated), step);
      successes!.set(lastFlag(length, success), step);
    }
    writer.flags("terminals", terminals!);
    writer.flags("timeouts", timeouts!);
    writer.flags("infos/success", successes!);
    writer.close();
  },

  async open(path, hints) {
    const file = await Hdf5Reader.open(path);
    const { rows } = file.shape("rewards");
    const sizes = {
      observationSize: file.shape("observations").width,
      actionSize: file.shape("actions").width,
    };
    checkTable(file, rows, sizes);
    const { extras: _, ...info } = infoOf(path, file.attribute("/", "salle"), hints, sizes);
    const pieces = piecesOf(file, rows);
    const lacksNext = !file.has("next_observations");
    return {
      info: { ...info, extras: {} },
      numEpisodes: pieces.length,
      remarks: lacksNext ? ["it has no next_observations: steps at a time limit were dropped"] : [],
      episode: (index) => readPiece(file, pieces[index]!),
      close: () => file.close(),
    };
  },
};

function checkTable(
  file: Hdf5Reader,
  rows: number,
  { observationSize, actionSize }: { observationSize: number; actionSize: number },
): void {
  const check = (key: string, width: number) =>
    checkShape(file.path, key, file.shape(key), { rows, width });
  check("rewards", 1);
  check("observations", observationSize);
  check("actions", actionSize);
  check("terminals", 1);
  if (file.has("timeouts")) check("timeouts", 1);
  if (file.has("next_observations")) check("next_observations", observationSize);
}

/** Rows [from, to) of an episode, and how it ended. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly terminated: boolean;
}

const searched = 2 ** 16; // rows whose flags are looked at at once

/** A time limit wins over a terminal state in the same row; a rest without an end was cut. */
function piecesOf(file: Hdf5Reader, rows: number): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const end = (to: number, terminated: boolean) => {
    pieces.push({ from, to, terminated });
    from = to;
  };
  for (let at = 0; at < rows; at += searched) {
    const to = Math.min(rows, at + searched);
    const terminals = file.floats("terminals", at, to);
    const timeouts = file.has("timeouts") ? file.floats("timeouts", at, to) : null;
    for (let i = 0; i < to - at; i++) {
      if (timeouts?.[i]) end(at + i + 1, false);
      else if (terminals[i]) end(at + i + 1, true);
    }
  }
  if (from < rows) end(rows, false);
  return pieces;
}

function readPiece(file: Hdf5Reader, { from, to, terminated }: Piece): WrittenEpisode | null {
  const info = {
    success: file.has("infos/success") && file.floats("infos/success", to - 1, to)[0] === 1,
    terminated,
    truncated: !terminated,
    seed: 0,
    policy: "imported",
  };
  const rows = {
    observations: file.floats("observations", from, to),
    actions: file.floats("actions", from, to),
    rewards: file.floats("rewards", from, to),
  };
  if (file.has("next_observations")) {
    const last = file.floats("next_observations", to - 1, to);
    return { ...rows, observations: withLast(rows.observations, last), extras: {}, info };
  }
  const closed = closeRows(rows, terminated);
  return closed && { ...closed, info };
}
