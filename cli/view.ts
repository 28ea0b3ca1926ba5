// `salle view`: runs, curves and recorded episodes in a browser.

import { existsSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { startViewer } from "../viewer/server.ts";
import { carryTasks } from "./carryTasks.ts";
import { print } from "./output.ts";
import { policyOf } from "./policyChild.ts";

interface ViewOptions {
  readonly host: string;
  readonly port: number;
}

export function viewCommand(): Command {
  return new Command("view")
    .argument("[path]", "a folder of runs, a run, or a .rec file", "runs")
    .option(
      "--host <address>",
      "address to bind; any but this machine's needs a token",
      "127.0.0.1",
    )
    .option("--port <port>", "first port to try", portOf, 8080)
    .addHelpText(
      "after",
      "\nExamples:\n  salle view\n  salle view runs/hopper-hop-v0__sac__1__20260101-120000",
    )
    .action(view);
}

async function view(path: string, { host, port }: ViewOptions): Promise<void> {
  if (path !== "runs" && !existsSync(path)) throw new Error(`no such file or folder: ${path}`);
  const viewer = await startViewer({ path, host, port, policyOf, carry: carryTasks });
  print(`watch ${path} at ${viewer.url}`);
  if (viewer.readUrl) print(`watch only:    ${viewer.readUrl}`);
  print("stop with Ctrl-C");
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError("wants a number from 0 to 65535");
  return port;
}
