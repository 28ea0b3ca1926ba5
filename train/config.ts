// A run's settings, resolved once: defaults ← preset ← file ← `--set` ← flags; frozen ever after.
//
// Two groups, `train` and `algo`, the latter being the algorithm's own. Whatever is unknown or out of
// range is an error that names the key, the value and what is allowed.

import { parse, stringify } from "yaml";
import { z } from "zod";
import type { AnyAlgorithm } from "../agents/agent.ts";
import { algorithms } from "../agents/index.ts";
import { cloners, finetuners } from "../finetune/index.ts";
import { didYouMean } from "../sim/source.ts";
import { taskSource } from "../tasks/index.ts";
import { familyPresets, presets } from "./presets.ts";
import { type TrainSettings, trainSettings } from "./settings.ts";

/** Everything that decides how a run goes; frozen. */
export interface RunConfig {
  /** A registered task's id, or the URL of a task's file. */
  readonly task: string;
  readonly algorithm: string;
  /** A checkpoint's folder: the frozen policy that the run begins from; the run keeps a copy. */
  readonly base?: string;
  /** Folders of datasets that the run learns from. */
  readonly data?: readonly string[];
  readonly train: TrainSettings;
  /** What the algorithm's own `settings` made of it. */
  readonly algo: Readonly<Record<string, unknown>>;
}

/** Where settings come from, later ones over earlier ones. */
export interface ConfigSources {
  /** The task and the algorithm; a file's where missing. */
  readonly task?: string | undefined;
  readonly algorithm?: string | undefined;
  /** As in `RunConfig`; a file's where missing. */
  readonly base?: string | undefined;
  readonly data?: readonly string[] | undefined;
  /** The algorithm's settings that the policy which it goes on with decides; over a preset's. */
  readonly inherited?: Readonly<Record<string, unknown>> | undefined;
  /** A settings file: its name and its YAML. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** "algo.learningRate=1e-3"; the group may be left out where only one has the key. */
  readonly sets?: readonly string[];
  /** Flags of the command line that name a train setting; undefined where not given. */
  readonly flags?: Readonly<Partial<Record<keyof TrainSettings, unknown>>>;
}

type Group = "train" | "algo";
const groups: readonly Group[] = ["train", "algo"];

export async function resolveConfig(sources: ConfigSources): Promise<RunConfig> {
  const file = sources.file ? readFile(sources.file) : {};
  const task = await fullTaskName(textOf("task", sources.task ?? file["task"]));
  const algorithm = algorithmNamed(textOf("algorithm", sources.algorithm ?? file["algorithm"]));
  const preset = presets[algorithm.name]?.[task] ?? {};
  const values: Record<Group, Record<string, unknown>> = {
    train: { ...familyPresets[algorithm.family], ...preset.train, ...groupOf(file, "train") },
    algo: { ...preset.algo, ...sources.inherited, ...groupOf(file, "algo") },
  };
  for (const text of sources.sets ?? []) {
    const { group, key, value } = readSet(text, algorithm);
    values[group][key] = value;
  }
  for (const [key, value] of Object.entries(sources.flags ?? {}))
    if (value !== undefined) values.train[key] = typeof value === "string" ? scalar(value) : value;
  const origins = { base: sources.base ?? file["base"], data: sources.data ?? file["data"] };
  return makeConfig(task, algorithm, values, origins);
}

/** The text of config.yaml: every setting with its line of help. */
export function formatConfig({ task, algorithm, base, data, train, algo }: RunConfig): string {
  const origins = { ...(base !== undefined && { base }), ...(data && { data }) };
  const lines = [stringify({ task, algorithm, ...origins }, { lineWidth: 0 }).trim()];
  const settings = { train, algo };
  for (const group of groups) {
    lines.push("", `${group}:`);
    const helps = helpOf(schemaOf(group, algorithmNamed(algorithm)));
    for (const [key, value] of Object.entries(settings[group])) {
      const entry = stringify({ [key]: value }, { collectionStyle: "flow", lineWidth: 0 }).trim();
      const help = helps[key] ?? "";
      lines.push(help === "" ? `  ${inner(entry)}` : `  ${inner(entry)} # ${help}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The settings of a config.yaml that `formatConfig` wrote; its presets are resolved already. */
export function parseConfig(text: string): RunConfig {
  const file = readFile({ name: "config.yaml", text });
  const task = textOf("task", file["task"]);
  const algorithm = algorithmNamed(textOf("algorithm", file["algorithm"]));
  const values = { train: groupOf(file, "train"), algo: groupOf(file, "algo") };
  return makeConfig(task, algorithm, values, { base: file["base"], data: file["data"] });
}

const everyAlgorithm = { ...algorithms, ...cloners, ...finetuners };

/** The algorithm of a name; throws where there is none. */
export function algorithmNamed(name: string): AnyAlgorithm {
  const algorithm = Object.hasOwn(everyAlgorithm, name) ? everyAlgorithm[name] : undefined;
  if (algorithm) return algorithm;
  const known = Object.keys(everyAlgorithm);
  throw new Error(
    `unknown algorithm "${name}"${didYouMean(name, known)}; known: ${known.join(", ")}`,
  );
}

/** The id of a registered task, or the URL of a task's file: the same from whichever folder. */
async function fullTaskName(name: string): Promise<string> {
  const { args = [] } = await taskSource(name);
  return String(args[0]);
}

function makeConfig(
  task: string,
  algorithm: AnyAlgorithm,
  values: Readonly<Record<Group, Record<string, unknown>>>,
  { base, data }: { readonly base: unknown; readonly data: unknown },
): RunConfig {
  const train = check("train", trainSettings, values.train) as TrainSettings;
  const algo = check("algo", algorithm.settings, values.algo) as Record<string, unknown>;
  const origins = {
    ...(base !== undefined && { base: textOf("base", base) }),
    ...(data !== undefined && { data: [data].flat().map((folder) => textOf("data", folder)) }),
  };
  return deepFreeze({ task, algorithm: algorithm.name, ...origins, train, algo });
}

/** What the schema makes of the values; throws one error that lists every problem. */
function check(group: Group, schema: z.ZodType, values: Record<string, unknown>): unknown {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const known = Object.keys(helpOf(schema));
  const problems = result.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey(`${group}.${key}`, key, known));
    const path = issue.path.map(String);
    const got = path.reduce<unknown>(
      (value, key) => (value as Record<string, unknown>)?.[key],
      values,
    );
    const name = [group, ...path].join(".");
    const wanted = issue.code === "custom" ? `: ${issue.message};` : ` wants ${wish(issue)},`;
    return [`${name}${wanted} got ${JSON.stringify(got)}`];
  });
  throw new Error(problems.join("\n"));
}

function unknownKey(name: string, key: string, known: readonly string[]): string {
  return `unknown setting "${name}"${didYouMean(key, known)}; known: ${known.join(", ")}`;
}

/** What an issue of zod wanted, in words. */
function wish(issue: z.core.$ZodIssue): string {
  const unit = (origin: string) => (origin === "array" ? " elements" : "");
  switch (issue.code) {
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "invalid_type":
      return issue.expected === "int" ? "a whole number" : `a value of type ${issue.expected}`;
    default:
      return issue.message;
  }
}

function schemaOf(group: Group, algorithm: AnyAlgorithm): z.ZodType {
  return group === "train" ? trainSettings : algorithm.settings;
}

function helpOf(schema: z.ZodType): Record<string, string> {
  if (!(schema instanceof z.ZodObject)) throw new Error("an algorithm's settings are an object");
  const entries = Object.entries(schema.shape as Record<string, z.ZodType>);
  return Object.fromEntries(entries.map(([key, { description = "" }]) => [key, description]));
}

function readFile({ name, text }: { name: string; text: string }): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new Error(`${name} is no YAML: ${(error as Error).message}`, { cause: error });
  }
  if (content === null || content === undefined) return {};
  if (!isRecord(content))
    throw new Error(`${name} wants keys with values, got a ${typeof content}`);
  const known = ["task", "algorithm", "base", "data", ...groups];
  for (const key of Object.keys(content))
    if (!known.includes(key)) throw new Error(`${name}: ${unknownKey(key, key, known)}`);
  return content;
}

function groupOf(file: Record<string, unknown>, group: Group): Record<string, unknown> {
  const values = file[group] ?? {};
  if (!isRecord(values)) throw new Error(`${group} wants keys with values, got ${String(values)}`);
  const read = (value: unknown) => (typeof value === "string" ? scalar(value) : value);
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, read(value)]));
}

interface SetEntry {
  readonly group: Group;
  readonly key: string;
  readonly value: unknown;
}

function readSet(text: string, algorithm: AnyAlgorithm): SetEntry {
  const match = /^(?:(train|algo)\.)?(\w+)=(.*)$/s.exec(text);
  if (!match) throw new Error(`--set wants key=value, as in algo.discount=0.98, got "${text}"`);
  const [, named, key, value] = match as unknown as [string, Group | undefined, string, string];
  const having = groups.filter((group) => key in helpOf(schemaOf(group, algorithm)));
  const group = named ?? having[0];
  if (named === undefined && having.length > 1)
    throw new Error(`--set ${key}: both train.${key} and algo.${key} are settings; say which`);
  if (group === undefined || !(key in helpOf(schemaOf(group, algorithm)))) {
    const known = (named ? [named] : groups).flatMap((each) =>
      Object.keys(helpOf(schemaOf(each, algorithm))),
    );
    throw new Error(unknownKey(named ? `${named}.${key}` : key, key, known));
  }
  return { group, key, value: scalar(value) };
}

/** A text's value as YAML reads it, and fractions such as 1/16. */
function scalar(text: string): unknown {
  const fraction = /^\s*(-?[\d.]+)\s*\/\s*([\d.]+)\s*$/.exec(text);
  if (fraction) return Number(fraction[1]) / Number(fraction[2]);
  const number = Number(text.replaceAll("_", ""));
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  try {
    return parse(text);
  } catch {
    return text;
  }
}

const wishes = {
  task: "a task",
  algorithm: "an algorithm",
  base: "a checkpoint's folder as its base",
  data: "folders of datasets as its data",
};

function textOf(key: keyof typeof wishes, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`a run wants ${wishes[key]}, got ${String(value)}`);
}

/** The one entry of a flow map: "key: value". */
function inner(entry: string): string {
  return entry.replace(/^\{\s*/, "").replace(/\s*\}$/, "");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null)
    for (const child of Object.values(Object.freeze(value))) deepFreeze(child);
  return value;
}
