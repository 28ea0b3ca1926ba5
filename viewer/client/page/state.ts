// State: what the page says of what is shown, in words.

import { byId, setText } from "./dom.ts";
import type { Episode } from "./episode.ts";
import type { RunSummary } from "./host.ts";
import type { Live } from "./live.ts";

interface Line {
  readonly text: string;
  readonly mood: "" | "good" | "bad";
}

/** The part of the page that is put into words. */
export interface Shown {
  readonly runs: readonly RunSummary[];
  readonly address: { readonly run: string | null; readonly episode: string | null };
  readonly episode: Episode | null;
  readonly problem: string | null;
  readonly watchingLive: boolean;
  readonly recording: number | null;
  readonly live: Live;
  readonly player: { readonly time: number };
  readonly panel: Acting;
  readonly duel: { readonly failure: string | null };
}

interface Acting {
  readonly changes: { readonly actions: string };
  readonly policy: { readonly label: string } | null;
  readonly rival: { readonly label: string } | null;
}

/** Puts it on the page. */
export function showLines(shown: Shown): void {
  setText(byId("title"), titleLine(shown));
  const { text, mood } = stateLine(shown);
  setText(byId("state"), text);
  byId("state").className = mood;
}

function titleLine({ runs, address, episode, watchingLive, live }: Shown): string {
  if (watchingLive) return live.hello?.live?.task ?? "Live training";
  const run = runs.find(({ id }) => id === address.run);
  const file = address.episode?.replace(/\.rec$/, "");
  const seed = run && run.seed !== null ? `seed ${run.seed}` : null;
  const parts = [episode?.facts?.task ?? run?.task, run?.algorithm, seed, file];
  return parts.filter((part) => part !== null && part !== undefined).join(" · ");
}

function stateLine(shown: Shown): Line {
  const { episode, problem } = shown;
  if (problem !== null) return { text: problem, mood: "bad" };
  if (shown.recording !== null)
    return { text: `making the video: ${Math.round(100 * shown.recording)}%`, mood: "" };
  if (shown.watchingLive) return liveLine(shown.live);
  if (!episode) return { text: "loading", mood: "" };
  const failure = episode.failure ?? shown.duel.failure;
  if (failure !== null) return { text: failure, mood: "bad" };
  const { facts, recorded, fork } = episode;
  if (!facts || !recorded) return { text: "loading the physics", mood: "" };
  if (fork) {
    return { text: forkLine(episode, shown.panel), mood: "" };
  }
  if (episode.mismatch !== null)
    return { text: `differs from the recording: ${episode.mismatch}`, mood: "bad" };
  if (!episode.finished)
    return { text: `simulating: ${recorded.count} of ${facts.numSteps} steps`, mood: "" };
  return finishedLine(episode, shown.player.time);
}

function forkLine({ forkStep }: Episode, { changes, policy, rival }: Acting): string {
  const acting = changes.actions === "policy" && policy ? `${policy.label} acts` : "";
  const grey = `grey: ${rival?.label ?? "as recorded"}`;
  const push = rival ? "drag the robot to push both alike" : "drag the robot to push it";
  const parts = [`fork from step ${forkStep}`, acting, push, grey];
  return parts.filter((part) => part !== "").join(" · ");
}

function finishedLine({ facts, recorded, numVerified }: Episode, time: number): Line {
  const policy = facts?.policy ? `${facts.policy} · ` : "";
  if (numVerified > 0)
    return { text: `${policy}simulated here, all ${numVerified} checksums equal`, mood: "good" };
  const endedAt = recorded?.endedAt ?? null;
  const ended =
    endedAt === null ? "" : `ended after ${(endedAt * recorded!.controlDt).toFixed(2)} s`;
  const past = endedAt !== null && time > endedAt * recorded!.controlDt;
  return { text: `${policy}${past ? ended : "simulated here"}`, mood: "" };
}

function liveLine({ connected, hello, status, rate, numRobots }: Live): Line {
  if (!connected) return { text: "the server is gone; trying again", mood: "bad" };
  if (!hello?.live) return { text: "nothing trains here now", mood: "" };
  if (!status) return { text: "waiting for the first poses", mood: "" };
  const stream = `${Math.round(rate)} Hz, ${status.dropped} dropped`;
  const cost = `viewer ${(100 * status.load).toFixed(1)}% of a core`;
  const parts = ["time-lapse", `${numRobots} robots`, status.training, stream, cost];
  return { text: parts.filter((part) => part !== "").join(" · "), mood: "" };
}
