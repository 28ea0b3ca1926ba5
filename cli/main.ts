#!/usr/bin/env node
// The `salle` command: its subcommands and nothing else, one file each.
//
// Only the module of the command that was asked for is loaded: all of them take 0.7 s.

import { Command } from "commander";
import { salleVersion } from "./version.ts";

interface Subcommand {
  readonly description: string;
  load(): Promise<Command>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  train: {
    description: "train a policy on a task, from scratch",
    load: async () => (await import("./train.ts")).trainCommand(),
  },
  clone: {
    description: "clone what a dataset does as a policy",
    load: async () => (await import("./clone.ts")).cloneCommand(),
  },
  finetune: {
    description: "make a run's policy better, or begin with demonstrations",
    load: async () => (await import("./finetune.ts")).finetuneCommand(),
  },
  resume: {
    description: "go on with a run from its last checkpoint, to the bit",
    load: async () => (await import("./train.ts")).resumeCommand(),
  },
  eval: {
    description: "judge a run's policy over many episodes",
    load: async () => (await import("./eval.ts")).evalCommand(),
  },
  ope: {
    description: "choose among a run's checkpoints by logged data alone",
    load: async () => (await import("./ope.ts")).opeCommand(),
  },
  play: {
    description: "play episodes of a run's policy, or of a zero or random agent",
    load: async () => (await import("./eval.ts")).playCommand(),
  },
  collect: {
    description: "write episodes of an expert, a policy or a random agent as a dataset",
    load: async () => (await import("./collect.ts")).collectCommand(),
  },
  data: {
    description: "list datasets, make new ones of them, import and export them",
    load: async () => (await import("./data.ts")).dataCommand(),
  },
  demo: {
    description: "drive a robot in a page, and keep what went well as a dataset",
    load: async () => (await import("./demo.ts")).demoCommand(),
  },
  doctor: {
    description: "say what this machine can run programs on, and how to get the rest",
    load: async () => (await import("./doctor.ts")).doctorCommand(),
  },
  envs: {
    description: "list tasks, explain one, check one, make one of your robot",
    load: async () => (await import("./envs.ts")).envsCommand(),
  },
  view: {
    description: "show runs, curves and recorded episodes in a browser",
    load: async () => (await import("./view.ts")).viewCommand(),
  },
  render: {
    description: "draw tasks, or film and draw recorded episodes",
    load: async () => (await import("./render.ts")).renderCommand(),
  },
  runs: {
    description: "list runs, compare some, draw their curves",
    load: async () => (await import("./runs.ts")).runsCommand(),
  },
  export: {
    description: "write a run's policy as an ONNX or safetensors file, or the run as an HTML page",
    load: async () => (await import("./export.ts")).exportCommand(),
  },
  verify: {
    description: "simulate recorded episodes again and compare them to the bit",
    load: async () => (await import("./verify.ts")).verifyCommand(),
  },
};

/** The program with the commands that the arguments name; of the others only what help says of them. */
async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("salle")
    .description("Train robots in TypeScript, and watch them learn.")
    .version(salleVersion, "-v, --version", "print Salle's version")
    .helpOption("-h, --help", "explain a command")
    .helpCommand("help [command]", "explain a command")
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false, subcommandTerm: (command) => command.name() })
    .addHelpText(
      "after",
      `
Begin here:
  salle train hopper    a one-legged robot learns to hop, in about two minutes
  salle doctor          what this machine can run programs on, and how to get the rest
  salle envs list       the tasks there are
  salle verify <run>    whether a run's recorded episodes are what they claim to be
  salle help <command>  the options of one command, with examples`,
    );
  for (const [name, { description, load }] of Object.entries(subcommands)) {
    const command = args.includes(name) ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  return program;
}

// Whoever reads may stop early, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
try {
  const program = await createProgram(process.argv.slice(2));
  if (process.argv.length <= 2) program.help();
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error) || process.env["SALLE_DEBUG"]) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
