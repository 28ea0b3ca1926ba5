// Sidebar: runs and their recorded episodes, and the tasks to try without any.

import { tasks } from "../../../tasks/index.ts";
import { byId, el } from "./dom.ts";
import { newestEpisode } from "./follow.ts";
import { type EpisodeFile, host, type RunSummary } from "./host.ts";

const mostFiles = 300; // of a run or dataset, the newest

export interface SidebarActions {
  openEpisode(run: RunSummary, file: EpisodeFile): void;
  openTask(task: string): void;
  ghost(run: RunSummary, file: EpisodeFile): void;
  /** The runs whose curves are shown changed. */
  compare(): void;
  watchLive(): void;
  /** Ends the training. */
  stop(): void;
  showCurves(run: RunSummary): void;
}

export class Sidebar {
  /** Ids of the runs whose curves are shown. */
  readonly compared = new Set<string>();
  /** What is shown now: "task …", "run/file" or "live". */
  current = "";
  live: string | null = null;
  /** Whether this page may stop the training. */
  mayStop = false;
  private readonly actions: SidebarActions;
  private runs: readonly RunSummary[] = [];
  private listed = false; // whether it is known which runs there are
  private shown = "";

  constructor(actions: SidebarActions) {
    this.actions = actions;
  }

  setRuns(runs: readonly RunSummary[]): void {
    const [only] = runs;
    if (this.runs.length === 0 && runs.length === 1 && only && only.metricsBytes > 0)
      this.compared.add(only.id);
    this.runs = runs;
    this.listed = true;
    this.render();
  }

  render(): void {
    if (!this.listed) return;
    const key = JSON.stringify([
      this.runs,
      this.current,
      this.live,
      this.mayStop,
      [...this.compared],
    ]);
    if (key === this.shown) return; // the list must not lose its focus every second
    this.shown = key;
    const list = byId("list");
    const { scrollTop } = byId("side");
    list.replaceChildren(
      ...(this.live ? [this.liveItem(this.live)] : []),
      el("h2", { textContent: "Runs" }),
      ...(this.runs.length === 0
        ? [el("p", { className: "note", textContent: "None here yet. Runs appear as they start." })]
        : this.runs.flatMap((run) => this.runItems(run))),
      ...(host().offersTasks ? this.taskItems() : []),
    );
    byId("side").scrollTop = scrollTop;
  }

  private liveItem(run: string): HTMLElement {
    const item = itemOf("Live training", run, () => this.actions.watchLive());
    item.ariaCurrent = String(this.current === "live");
    const stop = el("button", { type: "button", textContent: "stop", hidden: !this.mayStop });
    stop.title = "end the training after this step; it is saved and can be resumed";
    stop.onclick = () => {
      if (confirm(`Stop ${run}? It is saved and can be resumed.`)) this.actions.stop();
    };
    const newest = newestEpisode(this.runs, run);
    const follow = el("button", { type: "button", textContent: "follow", hidden: !newest });
    follow.title = "simulate its newest episode here, and newer ones after it";
    follow.onclick = () => {
      if (newest) this.actions.openEpisode(newest.run, newest.file);
    };
    return el("div", { className: "row" }, item, follow, stop);
  }

  private taskItems(): HTMLElement[] {
    const items = Object.keys(tasks).map((id) => this.taskItem(id));
    return [el("h2", { textContent: "Tasks, at random" }), ...items];
  }

  private taskItem(id: string): HTMLElement {
    const item = itemOf(id, null, () => this.actions.openTask(id));
    item.ariaCurrent = String(this.current === `task ${id}`);
    return item;
  }

  private runItems(run: RunSummary): HTMLElement[] {
    const { episodes, metricsBytes } = run;
    const check = el("input", { type: "checkbox", title: "show its curves" });
    check.ariaLabel = `show the curves of ${run.name}`;
    check.checked = this.compared.has(run.id);
    check.disabled = metricsBytes === 0;
    check.onchange = () => {
      if (check.checked) this.compared.add(run.id);
      else this.compared.delete(run.id);
      this.actions.compare();
    };
    const facts = [run.algorithm, run.seed === null ? null : `seed ${run.seed}`, run.status];
    const note = facts.filter((fact) => fact !== null).join(" · ");
    const newest = episodes.at(-1);
    const open = itemOf(run.task ?? run.name, note || "recording", () => {
      if (newest) this.actions.openEpisode(run, newest);
      else this.actions.showCurves(run);
    });
    open.title = run.name;
    const files = el("div", { className: "files" });
    const chosen = this.current.startsWith(`${run.id}/`);
    if (chosen || this.runs.length === 1)
      files.append(...episodes.slice(-mostFiles).map((file) => this.fileItem(run, file)));
    if (episodes.length === 0)
      files.append(el("span", { className: "note", textContent: "no recorded episode yet" }));
    const fits = !chosen && newest !== undefined && run.task !== null && run.task === this.openTask;
    const ghost = fits ? [this.ghostButton(run, newest)] : [];
    const head = el("div", { className: "row" }, check, open, ...ghost);
    return [head, ...(files.firstChild ? [files] : [])];
  }

  private fileItem(run: RunSummary, file: EpisodeFile): HTMLElement {
    const open = itemOf(file.name.replace(/\.rec$/, ""), null, () =>
      this.actions.openEpisode(run, file),
    );
    open.ariaCurrent = String(this.current === `${run.id}/${file.name}`);
    open.title = file.name;
    return el("div", { className: "row" }, open, this.ghostButton(run, file));
  }

  private ghostButton(run: RunSummary, file: EpisodeFile): HTMLElement {
    const ghost = el("button", { type: "button", textContent: "ghost" });
    ghost.title = `show ${file.name} of ${run.name} as a ghost beside what is open`;
    ghost.onclick = () => this.actions.ghost(run, file);
    return ghost;
  }

  /** The task of what is open; null where nobody knows it. */
  private get openTask(): string | null {
    const random = /^task (.*)$/.exec(this.current)?.[1];
    const open = this.runs.find(({ id }) => this.current.startsWith(`${id}/`));
    return random ?? open?.task ?? null;
  }
}

function itemOf(name: string, note: string | null, onclick: () => void): HTMLButtonElement {
  const label = el("b", { textContent: name });
  const small = note === null ? null : el("small", { textContent: note });
  return el("button", { type: "button", className: "item", onclick }, label, small);
}
