// App: what is open, and the frame that draws it.

import type { Theme } from "../scene/looks.ts";
import { type Address, readAddress } from "./address.ts";
import { AddressBar } from "./addressBar.ts";
import { compare } from "./against.ts";
import { Bar } from "./bar.ts";
import { Curves } from "./curves.ts";
import { byId } from "./dom.ts";
import { Duel } from "./duel.ts";
import { Episode, endOf } from "./episode.ts";
import { EpisodePicker } from "./episodePicker.ts";
import { FanOut } from "./fanOut.ts";
import { afterFirstPicture } from "./firstPicture.ts";
import { newerEpisode } from "./follow.ts";
import { furnish } from "./furnish.ts";
import { type EpisodeFile, host, type RunSummary } from "./host.ts";
import { Live } from "./live.ts";
import { LiveStage } from "./liveStage.ts";
import type { EpisodeInput } from "./messages.ts";
import { Panel, type PanelButtons } from "./panel.ts";
import { Player } from "./player.ts";
import { type PolicyChoice, policiesFor } from "./policies.ts";
import { Sidebar } from "./sidebar.ts";
import { showLines } from "./state.ts";
import { Theatre } from "./theatre.ts";
import type { Timeline } from "./timeline.ts";

const root = document.documentElement; // what it is set to is the style sheet's to show
const pollEvery = 2000; // ms between looks for new runs and rows
const firstLook = 0.05; // s of an episode that are there before it plays

export class App {
  readonly player = new Player();
  readonly theatre: Theatre;
  readonly panel: Panel;
  readonly curves = new Curves();
  address: Address;
  runs: readonly RunSummary[] = [];
  episode: Episode | null = null;
  /** The one whose robot is on the stage. */
  opened: Episode | null = null;
  ghost: Episode | null = null;
  problem: string | null = null;
  /** The share of a video that is done while one is made (capture.ts). */
  recording: number | null = null;
  readonly live: Live;
  readonly liveStage: LiveStage;
  /** Called after the view changed. */
  viewChanged: () => void = () => undefined;
  readonly duel = new Duel();
  private readonly bar: Bar;
  private readonly picker = new EpisodePicker((index) => this.openIndex(index));
  private readonly sidebar: Sidebar;
  private numFiles = 0; // of the run that is open, when its episode was opened
  private last = performance.now();
  private readonly fanOut = new FanOut();
  private readonly addressBar = new AddressBar();

  constructor(theme: Theme, buttons: PanelButtons) {
    this.address = readAddress(location.search);
    this.theatre = new Theatre(byId("canvas"), theme);
    const seek = (time: number): void => this.seek(time);
    const changes = (): void => {
      if (this.episode?.fork) this.fork(this.episode.forkStep);
    };
    const ask = (policy: PolicyChoice | null) => void compare(this, policy);
    this.panel = new Panel({ seek, changes, compare: ask }, buttons);
    this.bar = new Bar(this.player, {
      toggle: () => this.toggle(),
      step: (by) => this.step(by),
      seek,
      fork: () => this.toggleFork(),
    });
    this.sidebar = new Sidebar({
      openEpisode: (run, file) => void this.openFile(run, file),
      openTask: (task) => this.openTask(task),
      ghost: (run, file) => void this.openGhost(run, file),
      compare: () => void this.poll(),
      watchLive: () => this.watchLive(),
      stop: () => this.live.stop(),
      showCurves: (run) => {
        this.sidebar.compared.add(run.id);
        this.setView("curves");
      },
    });
    this.live = new Live(() => {
      const { live, role } = this.live.hello ?? {};
      Object.assign(this.sidebar, { live: live?.run ?? null, mayStop: role === "control" });
      this.sidebar.render();
    });
    this.liveStage = new LiveStage(this.live, this.theatre, this.panel);
  }

  get watchingLive(): boolean {
    return this.liveStage.shown;
  }

  /** Shows the robot or the curves. */
  setView(view: "episode" | "curves"): void {
    root.dataset["view"] = view;
    root.dataset["tab"] = view === "curves" ? "curves" : "signals";
    void this.poll();
    this.viewChanged();
  }

  /** Opens what the address says, and begins to draw. */
  async start(): Promise<void> {
    const { run, episode, task } = this.address;
    if (run === null && task !== null) this.openTask(task, this.address.seed);
    const polled = this.episode ? afterFirstPicture().then(() => this.poll()) : this.poll();
    this.theatre.warmUp();
    requestAnimationFrame(() => this.frame());
    await polled;
    const found = this.runs.find(({ id }) => id === run);
    const file = found?.episodes.find(({ name }) => name === episode) ?? found?.episodes.at(-1);
    if (found && file) await this.openFile(found, file, this.address.index);
    else if (run !== null) this.problem = "the link's run is not here any more";
    else if (task === null) await this.openNewest();
    setInterval(() => void this.poll(), pollEvery);
  }

  async poll(): Promise<void> {
    try {
      this.runs = await host().runs();
      this.sidebar.setRuns(this.runs);
      this.offerPolicies();
      this.followNewest();
      if (root.dataset["view"] === "curves")
        await this.curves.update(this.runs, this.sidebar.compared);
    } catch (error) {
      this.problem ??= error instanceof Error ? error.message : String(error);
    }
  }

  async openFile(run: RunSummary, file: EpisodeFile, index = 0): Promise<void> {
    if (this.opened) this.setView("episode");
    this.setCurrent(`${run.id}/${file.name}`);
    this.address = { ...this.address, run: run.id, episode: file.name, index, task: null };
    this.numFiles = run.episodes.length;
    const bytes = await this.fetched(run, file);
    if (bytes) this.open({ type: "recording", bytes, index });
  }

  /** Another episode of the file that is open. */
  openIndex(index: number): void {
    const { input } = this.episode ?? {};
    if (input?.type !== "recording") return;
    this.address = { ...this.address, index };
    this.open({ ...input, index });
  }

  openTask(task: string, seed = 1): void {
    if (this.opened) this.setView("episode");
    this.setCurrent(`task ${task}`);
    this.address = { ...this.address, run: null, episode: null, index: 0, task, seed };
    this.open({ type: "random", task, seed });
  }

  async openGhost(run: RunSummary, file: EpisodeFile): Promise<void> {
    this.ghost?.close();
    const bytes = await this.fetched(run, file);
    this.ghost = bytes && new Episode({ type: "recording", bytes, index: 0 });
  }

  /** What is shown beside the open episode: of a fork its rival, or the recorded way. */
  get ghostShown(): Timeline | null {
    const { fork, recorded = null } = this.episode ?? {};
    return fork ? (this.duel.timeline ?? recorded) : (this.ghost?.recorded ?? null);
  }

  seek(time: number): void {
    this.player.seek(time, endOf(this.episode));
  }

  toggle(): void {
    this.player.toggle(this.episode?.fork ? Number.POSITIVE_INFINITY : endOf(this.episode));
  }

  step(by: number): void {
    const { timeline } = this.episode ?? {};
    if (timeline) this.player.stepBy(by, timeline.controlDt, endOf(this.episode));
  }

  toggleFork(): void {
    const { episode } = this;
    if (!episode?.recorded) return;
    if (episode.fork) {
      this.seek(Math.min(this.player.time, episode.recorded.duration));
      episode.endFork();
      this.duel.end();
    } else this.fork(episode.recorded.stepAt(this.player.time));
  }

  /** Goes on from a step with the panel's changes and policies. */
  fork(step: number): void {
    const { episode } = this;
    if (!episode?.recorded) return;
    const time = step * episode.recorded.controlDt;
    void this.duel.fork(episode, step, this.panel, () => {
      Object.assign(this.player, { time, playing: true });
    });
  }

  watchLive(): void {
    this.close();
    this.liveStage.open();
    root.dataset["live"] = "";
    this.address = { ...this.address, run: null, episode: null, task: null };
    this.setCurrent("live");
  }

  /** None where the server would refuse them. */
  offerPolicies(): void {
    this.panel.offer(this.live.hello?.role === "read" ? [] : policiesFor(this));
  }

  private followNewest(): void {
    const seen = this.episode?.finished === true && this.player.time >= endOf(this.episode);
    const next = newerEpisode(this.runs, this.address, this.numFiles);
    if (next && seen && !this.episode?.fork) void this.openFile(next.run, next.file);
  }

  private async openNewest(): Promise<void> {
    await this.live.greeted;
    const run = this.runs.find(({ episodes }) => episodes.length > 0);
    if (this.live.hello?.live) this.watchLive();
    else if (run) await this.openFile(run, run.episodes.at(-1)!);
    else this.openTask("quadruped-walk-v0");
  }

  private async fetched(run: RunSummary, file: EpisodeFile): Promise<Uint8Array | null> {
    try {
      return await host().episode(run.id, file.name);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  private open(input: EpisodeInput): void {
    this.close();
    this.episode = new Episode(input);
    this.player.time = 0;
    this.player.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  private close(): void {
    this.liveStage.close();
    this.picker.update(0, 1);
    delete root.dataset["live"];
    this.panel.signals.setLayout(null);
    this.duel.end();
    this.episode?.close();
    this.episode = this.opened = this.problem = null;
    this.theatre.close();
  }

  private setCurrent(current: string): void {
    this.sidebar.current = current;
    this.sidebar.render();
  }

  private frame(): void {
    requestAnimationFrame(() => this.frame());
    const now = performance.now();
    const seconds = Math.min(0.1, (now - this.last) / 1000);
    this.last = now;
    showLines(this);
    if (this.recording !== null) return; // the frames are a video's
    if (this.watchingLive) this.liveStage.frame(seconds);
    else this.frameEpisode(seconds);
    this.addressBar.update(now, this);
  }

  private frameEpisode(seconds: number): void {
    const { episode, player, theatre } = this;
    const timeline = episode?.timeline;
    if (!episode?.facts || !timeline || timeline.count === 0) {
      theatre.drawOnce();
      return;
    }
    if (this.opened !== episode) furnish(this, episode);
    const { facts, fork } = episode;
    if (fork) this.duel.drive(episode, player, theatre);
    const growing = fork !== null || !episode.finished;
    if (timeline.duration > firstLook || !growing) player.tick(seconds, timeline.duration, growing);
    theatre.grabbable = fork !== null;
    this.fanOut.update(theatre, episode, this.panel.signals.against, player);
    theatre.show(timeline, player.time, this.ghostShown, seconds);
    const total = fork ? 0 : facts.numSteps * facts.controlDt;
    this.picker.update(this.address.index, facts.numEpisodes);
    this.bar.update(timeline.duration, total, facts.controlDt, fork !== null);
    this.panel.update(timeline, player.time, fork !== null);
  }
}
