// The page of demonstrations: somebody drives the robot, at its own speed, and keeps what went well.
//
// The clock of an episode begins with the first key. The simulation never skips a step: where the machine is
// too slow for it, time goes slower.

import { button, byId, setText } from "../page/dom.ts";
import { Theatre } from "../page/theatre.ts";
import { Timeline } from "../page/timeline.ts";
import { presets } from "../scene/bounds.ts";
import type { Theme } from "../scene/looks.ts";
import { Driver } from "./driver.ts";
import { Help } from "./help.ts";
import {
  buttonName,
  type Command,
  commands,
  controlsOf,
  handViews,
  keyName,
  kindOf,
} from "./keymap.ts";
import type { DemoFacts, FromDemo, ToDemo } from "./messages.ts";
import { DemoServer } from "./server.ts";

type Phase = "loading" | "ready" | "driving" | "ended" | "saving";
const mostAhead = 3; // steps that the worker may owe

export class Demo {
  phase: Phase = "loading";
  facts: DemoFacts | null = null;
  timeline: Timeline | null = null;
  success = false;
  seed = 0;
  numEpisodes = 0;
  private driver: Driver | null = null;
  private elapsed = 0; // s of the episode
  private numAsked = 0;
  private note = "";
  private trouble: string | null = null;
  private last = performance.now();
  private help: Help | null = null;
  private readonly theatre: Theatre;
  private readonly worker: Worker;
  private readonly server: DemoServer;

  constructor(server: DemoServer, theme: Theme) {
    this.server = server;
    this.theatre = new Theatre(byId("canvas"), theme);
    this.theatre.shown.delete("contacts"); // they hide what is to be gripped
    this.worker = new Worker(new URL("./demo.worker.ts", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }: MessageEvent<FromDemo>) => void this.take(data);
    for (const preset of presets)
      byId("cameras").append(button(preset, `Camera: ${preset}`, () => this.theatre.look(preset)));
  }

  async start(): Promise<void> {
    this.theatre.warmUp();
    requestAnimationFrame(() => this.frame());
    this.seed = await this.server.open();
    this.numEpisodes = this.server.numEpisodes;
    this.begin();
  }

  /** Does what a key says. */
  run(command: Command): void {
    if (this.phase === "loading" || this.phase === "saving") return;
    const driven = this.phase === "driving" || this.phase === "ended";
    if (command === "save" && driven) {
      this.phase = "saving";
      this.say({ type: "finish" });
    } else if (command !== "save") {
      this.note = driven ? "discarded" : "";
      this.next();
    }
  }

  /** Another start; the old one is gone. */
  private next(): void {
    this.seed++;
    this.begin();
  }

  private begin(): void {
    this.phase = "loading";
    this.driver?.reset();
    this.say({ type: "begin", template: this.server.template, seed: this.seed });
  }

  private say(message: ToDemo): void {
    this.worker.postMessage(message);
  }

  private async take(message: FromDemo): Promise<void> {
    if (message.type === "failed") this.trouble = message.reason;
    else if (message.type === "begun") this.open(message);
    else if (message.type === "finished") await this.save(message.recording);
    else if (this.phase === "driving" || this.phase === "ended") {
      this.timeline?.append(message.chunk);
      this.success = message.success;
      if (message.chunk.ended) this.phase = "ended";
    }
  }

  private open({ facts, chunk }: Extract<FromDemo, { type: "begun" }>): void {
    const isFirst = this.facts === null;
    this.facts = facts;
    this.timeline = new Timeline(facts.layout, facts.controlDt, facts.maxEpisodeSteps + 1);
    this.timeline.append(chunk);
    const poses = this.timeline.row(0).slice(0, 7 * facts.layout.links.length);
    if (isFirst) {
      const controls = controlsOf(facts.actionNames);
      this.driver = new Driver(controls, facts.actionNames.length, (command) => this.run(command));
      this.help = new Help(controls, byId("panel"));
      this.theatre.open(facts.model, poses, { marks: this.timeline.marksAt(0) });
      this.lookAt(kindOf(controls));
    }
    this.elapsed = this.numAsked = 0;
    this.success = false;
    this.phase = "ready";
  }

  /** From where the arrows move what they drive as they point. */
  private lookAt(kind: ReturnType<typeof kindOf>): void {
    const { rig } = this.theatre.hall;
    if (kind === "rod") {
      this.theatre.look("front");
      rig.following = false; // with room for the target, wherever the rod goes
      this.theatre.lookFrom([rig.distance, 0, rig.distance]);
    }
    if (kind !== "hand" && kind !== "hands") return;
    rig.following = false;
    rig.target.set(...handViews[kind].target);
    rig.camera.position.set(...handViews[kind].camera);
    rig.controls.update();
  }

  private async save(recording: Uint8Array): Promise<void> {
    const receipt = await this.server.save(recording);
    if (receipt.type === "kept") this.numEpisodes = receipt.numEpisodes;
    this.note =
      receipt.type === "kept"
        ? `saved: ${receipt.length} steps, return ${receipt.episodeReturn.toFixed(2)}${receipt.success ? ", a success" : ""}`
        : `not saved: ${receipt.reason}`;
    this.next();
  }

  private frame(): void {
    requestAnimationFrame(() => this.frame());
    const now = performance.now();
    const seconds = Math.min(0.1, (now - this.last) / 1000);
    this.last = now;
    const { timeline, driver } = this;
    if (!timeline || !driver) this.theatre.drawOnce();
    else {
      this.drive(timeline, driver, seconds);
      this.theatre.show(timeline, Math.max(0, this.elapsed), null, seconds);
      this.help?.show(driver);
    }
    this.showLines();
  }

  /** Lets time go on, and asks for the steps that it has come to. */
  private drive(timeline: Timeline, driver: Driver, seconds: number): void {
    const action = driver.read();
    if (this.phase === "ready" && driver.touched) this.phase = "driving";
    if (this.phase !== "driving") return;
    const { controlDt } = timeline;
    const numOwed = this.numAsked - (timeline.count - 1);
    if (numOwed >= mostAhead) return;
    this.elapsed += seconds;
    while (this.numAsked * controlDt < this.elapsed) {
      this.say({ type: "step", action: Array.from(action) });
      this.numAsked++;
    }
  }

  private showLines(): void {
    const { facts, timeline, phase, success, trouble, numEpisodes } = this;
    const hasPad = Boolean(this.driver?.pad.current);
    setText(byId("title"), facts ? `${facts.task} · demonstrate` : "Salle");
    const kept = `${numEpisodes} ${numEpisodes === 1 ? "episode" : "episodes"} in ${this.server.place}`;
    const time = timeline ? `${timeline.duration.toFixed(1)} s` : "";
    const lines: Readonly<Record<Phase, string>> = {
      loading: "loading the physics",
      ready: `press a key of the list${hasPad ? " or move a stick" : ""} to begin`,
      driving: `${time} of ${facts ? (facts.maxEpisodeSteps * facts.controlDt).toFixed(0) : ""} s`,
      ended: `${success ? "success" : "the time is over"} after ${time}: ${savesAndDiscards(hasPad)}`,
      saving: "saving",
    };
    const state = byId("state");
    setText(state, trouble ?? [lines[phase], this.note, kept].filter(Boolean).join(" · "));
    state.className = trouble !== null ? "bad" : success ? "good" : "";
  }
}

/** What saves and what discards, in words. */
function savesAndDiscards(hasPad: boolean): string {
  const [saves, discards] = commands.map(
    ({ key, button }) => keyName(key) + (hasPad ? ` or ${buttonName(button)}` : ""),
  );
  return `${saves} saves, ${discards} discards`;
}

const theme: Theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
document.documentElement.dataset["theme"] = theme;
const demo = new Demo(new DemoServer(), theme);
Object.assign(globalThis, { salleDemo: demo }); // for tests and the console
await demo.start();
