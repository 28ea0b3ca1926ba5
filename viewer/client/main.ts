// The viewer's page: puts its parts together.

import { App } from "./page/app.ts";
import { recordVideo, saveAs, type VideoOptions } from "./page/capture.ts";
import { button, byId, el } from "./page/dom.ts";
import { type Key, listen, showHelp } from "./page/keys.ts";
import { type StillOptions, takeStill } from "./page/stills.ts";
import { type Toggle, toggleNames } from "./page/theatre.ts";
import { presets } from "./scene/bounds.ts";
import type { Theme } from "./scene/looks.ts";

const root = document.documentElement;
const themeKey = "salle-theme";

function firstTheme(): Theme {
  const kept = localStorage.getItem(themeKey);
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function setTheme(theme: Theme): void {
  root.dataset["theme"] = theme;
  app.theatre.setTheme(theme);
  app.curves.render();
  app.panel.signals.recolor();
}

function flipTheme(): void {
  const theme = root.dataset["theme"] === "dark" ? "light" : "dark";
  localStorage.setItem(themeKey, theme);
  setTheme(theme);
}

const toggleButtons = new Map<Toggle, HTMLButtonElement>();
const toggleKeys: Readonly<Record<Toggle, string>> = {
  contacts: "c",
  "center of mass": "m",
  trail: "t",
  "collision shapes": "w",
  shadows: "s",
};

function flip(name: Toggle): void {
  const { shown } = app.theatre;
  if (!shown.delete(name)) shown.add(name);
  mark();
}

/** Says on every button whether it is on. */
function mark(): void {
  for (const [name, each] of toggleButtons) each.ariaPressed = String(app.theatre.shown.has(name));
  followButton.ariaPressed = String(app.theatre.hall.rig.following);
  for (const each of byId("views").querySelectorAll("button"))
    each.ariaPressed = String(each.dataset["view"] === root.dataset["view"]);
  for (const each of byId("tabs").querySelectorAll("button"))
    each.ariaPressed = String(each.dataset["tab"] === root.dataset["tab"]);
}

function follow(): void {
  const { rig } = app.theatre.hall;
  rig.following = !rig.following;
  mark();
}

const toggles = el("div", { className: "toggles" });
for (const name of toggleNames) {
  const made = button(name, `${name} (${toggleKeys[name].toUpperCase()})`, () => flip(name));
  toggleButtons.set(name, made);
  toggles.append(made);
}
const saves = el(
  "div",
  { className: "toggles" },
  button("picture", "Save what is shown as a PNG file (P)", () => void saveAs(app, "picture")),
  button(
    "video",
    "Save the episode as a video, at its own speed (R)",
    () => void saveAs(app, "video"),
  ),
);
const followButton = button("follow", "Move along with the robot (F)", follow);
root.dataset["theme"] = firstTheme();
const app = new App(firstTheme(), { show: toggles, save: saves });
setTheme(firstTheme());
if (app.theatre.failure !== null) {
  byId("blind").hidden = false;
  byId("blind").append(
    el("strong", { textContent: "Nothing can be drawn here: this browser has no WebGL" }),
    el("span", {
      textContent: "Episodes are simulated all the same; numbers and curves are shown.",
    }),
  );
}

for (const preset of presets)
  byId("cameras").append(
    button(preset, `Camera: ${preset} (${presets.indexOf(preset) + 1})`, () =>
      app.theatre.look(preset),
    ),
  );
byId("cameras").append(followButton);

for (const [view, name] of [
  ["episode", "Robot"],
  ["curves", "Curves"],
] as const) {
  const made = button(name, `${name} (V)`, () => app.setView(view));
  made.dataset["view"] = view;
  byId("views").append(made);
}
byId("views").append(button("?", "Keys (?)", () => showHelp(keys)));

for (const tab of ["runs", "signals", "curves"]) {
  const made = button(tab, `Show ${tab}`, () => {
    root.dataset["tab"] = tab;
    root.dataset["view"] = tab === "curves" ? "curves" : "episode";
    void app.poll();
    mark();
  });
  made.dataset["tab"] = tab;
  byId("tabs").append(made);
}

const keys: readonly Key[] = [
  { key: " ", shown: "space", does: "play or pause", act: () => app.toggle() },
  { key: "ArrowLeft", shown: "←", does: "one step back", act: () => app.step(-1) },
  { key: "ArrowRight", shown: "→", does: "one step on", act: () => app.step(1) },
  { key: "Shift+ArrowLeft", shown: "⇧ ←", does: "25 steps back", act: () => app.step(-25) },
  { key: "Shift+ArrowRight", shown: "⇧ →", does: "25 steps on", act: () => app.step(25) },
  { key: "home", shown: "home", does: "to the start", act: () => app.seek(0) },
  { key: "end", shown: "end", does: "to the end", act: () => app.seek(Number.MAX_VALUE) },
  { key: "[", shown: "[", does: "slower", act: () => app.player.changeSpeed(-1) },
  { key: "]", shown: "]", does: "faster", act: () => app.player.changeSpeed(1) },
  {
    key: "k",
    shown: "K",
    does: "fork from here, or back to the recording",
    act: () => app.toggleFork(),
  },
  ...presets.map((preset, i) => ({
    key: String(i + 1),
    shown: String(i + 1),
    does: `camera: ${preset}`,
    act: () => app.theatre.look(preset),
  })),
  {
    key: ",",
    shown: ",",
    does: "the robot before, of a training",
    act: () => app.theatre.followNext(-1),
  },
  {
    key: ".",
    shown: ".",
    does: "the next robot of a training",
    act: () => app.theatre.followNext(1),
  },
  { key: "f", shown: "F", does: "follow the robot", act: follow },
  ...toggleNames.map((name) => ({
    key: toggleKeys[name],
    shown: toggleKeys[name].toUpperCase(),
    does: `show ${name}`,
    act: () => flip(name),
  })),
  {
    key: "v",
    shown: "V",
    does: "robot or curves",
    act: () => app.setView(root.dataset["view"] === "curves" ? "episode" : "curves"),
  },
  { key: "p", shown: "P", does: "save the picture", act: () => void saveAs(app, "picture") },
  { key: "r", shown: "R", does: "save a video", act: () => void saveAs(app, "video") },
  { key: "d", shown: "D", does: "light or dark", act: flipTheme },
  { key: "?", shown: "?", does: "these keys", act: () => showHelp(keys) },
];
app.viewChanged = mark;
listen(keys);

const video = (options: VideoOptions) => recordVideo(app, options);
const still = (options: StillOptions) => takeStill(app, options);
Object.assign(globalThis, { salle: app, salleVideo: video, salleStill: still }); // for tests, the console and viewer/video.ts
if (app.address.view === "curves") app.setView("curves");
mark();
await app.start();
