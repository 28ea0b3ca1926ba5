#!/usr/bin/env node
// The `salle` command: its subcommands and nothing else, one file each.

import { Command } from "commander";
import { doctorCommand } from "./doctor.ts";
import { envsCommand } from "./envs.ts";
import { evalCommand, playCommand } from "./eval.ts";
import { exportCommand } from "./export.ts";
import { renderCommand } from "./render.ts";
import { runsCommand } from "./runs.ts";
import { resumeCommand, trainCommand } from "./train.ts";
import { verifyCommand } from "./verify.ts";
import { salleVersion } from "./version.ts";
import { viewCommand } from "./view.ts";

const program = new Command("salle")
  .description("Train robots in TypeScript, and watch them learn.")
  .version(salleVersion, "-v, --version", "print Salle's version")
  .helpOption("-h, --help", "explain a command")
  .helpCommand("help [command]", "explain a command")
  .showSuggestionAfterError()
  .configureHelp({ showGlobalOptions: false })
  .addCommand(trainCommand())
  .addCommand(resumeCommand())
  .addCommand(evalCommand())
  .addCommand(playCommand())
  .addCommand(doctorCommand())
  .addCommand(envsCommand())
  .addCommand(viewCommand())
  .addCommand(renderCommand())
  .addCommand(runsCommand())
  .addCommand(exportCommand())
  .addCommand(verifyCommand())
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

// Whoever reads may stop early, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
if (process.argv.length <= 2) program.help();
try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error) || process.env["SALLE_DEBUG"]) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
