// salle doctor: what this machine can run programs on, tried for real, and how to get the rest.

import { arch, cpus, freemem, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { type ProbeResult, probe } from "./probe.ts";
import {
  gitCommit,
  installedFolder,
  installedVersion,
  packageFolder,
  salleVersion,
} from "./version.ts";

const probeSeconds = 60; // a shader compiler may take several at its first program

/** Everything that `salle doctor --json` prints. */
export interface DoctorReport {
  readonly salle: { readonly version: string; readonly commit?: string; readonly folder: string };
  readonly machine: {
    readonly node: string;
    readonly os: string;
    readonly cpu: string;
    readonly numCores: number;
    readonly memoryGiB: number;
    readonly freeMemoryGiB: number;
  };
  /** Version of each package, null where it is not installed. */
  readonly packages: Readonly<Record<string, string | null>>;
  readonly devices: readonly DeviceReport[];
  /** Whether the default device works. */
  readonly ok: boolean;
}

type DeviceReport = ProbeResult & { readonly device: string; readonly advice?: string };

const packageNames = [
  "@tensorflow/tfjs-core",
  "onnxruntime-node",
  "onnxruntime-web",
  "@tensorflow/tfjs-node-gpu",
  "@tensorflow/tfjs-node",
];

export function doctorCommand(): Command {
  return new Command("doctor")
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
Each device compiles and runs a small program in a process of its own, so a broken driver does no
harm. The exit code is 0 if the device "cpu", which is the default, works.

Examples:
  salle doctor
  salle doctor --json > doctor.json`,
    )
    .action(async ({ json = false }: { json?: boolean }) => {
      const print = (line: string) => process.stdout.write(`${line}\n`);
      const report = await examine(json ? () => {} : print);
      if (json) print(JSON.stringify(report, null, 2));
      process.exitCode = report.ok ? 0 : 1;
    });
}

/** Tries every device, one after the other so that the times mean something. */
async function examine(print: (line: string) => void): Promise<DoctorReport> {
  const facts = { salle: salleFacts(), machine: machineFacts(), packages: packageVersions() };
  for (const line of describeFacts(facts)) print(line);
  const devices: DeviceReport[] = [];
  for (const [device, advice] of Object.entries(deviceAdvice())) {
    const result = await probe(device, probeSeconds * 1000);
    const report = { device, ...result, ...(result.works ? {} : { advice }) };
    for (const line of describeDevice(report)) print(line);
    devices.push(report);
  }
  const ok = devices.some(({ device, works }) => device === "cpu" && works);
  const working = devices.filter(({ works }) => works).map(({ device }) => device);
  print(
    ok ? `\nReady: programs run on ${working.join(", ")}.` : '\nNot ready: "cpu" does not work.',
  );
  return { ...facts, devices, ok };
}

function salleFacts(): DoctorReport["salle"] {
  const commit = gitCommit();
  return {
    version: salleVersion,
    ...(commit === undefined ? {} : { commit }),
    folder: packageFolder,
  };
}

function machineFacts(): DoctorReport["machine"] {
  const gibibytes = (bytes: number) => Math.round((bytes / 2 ** 30) * 10) / 10;
  return {
    node: process.version,
    os: `${type()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    numCores: cpus().length,
    memoryGiB: gibibytes(totalmem()),
    freeMemoryGiB: gibibytes(freemem()),
  };
}

function packageVersions(): DoctorReport["packages"] {
  return Object.fromEntries(packageNames.map((name) => [name, installedVersion(name) ?? null]));
}

/** The devices, and what each needs where it does not work. */
function deviceAdvice(): Readonly<Record<string, string>> {
  const ort = installedFolder("onnxruntime-node") ?? "node_modules/onnxruntime-node";
  const cudaScript = join(ort, "script/install.js");
  const tensorflow = installedVersion("@tensorflow/tfjs-core") ?? "latest";
  return {
    cpu: "npm install again; ONNX Runtime has binaries for Linux, macOS and Windows on x64 and arm64",
    webgpu: `${vulkanAdvice()} See \`vulkaninfo --summary\` for what there is.`,
    cuda: `on Linux x64 with an NVIDIA driver, CUDA 12 and cuDNN 9, download ONNX Runtime's CUDA files: ONNXRUNTIME_NODE_INSTALL=true node ${cudaScript}`,
    "eager:cpu": "npm install again; this device is plain JavaScript",
    "eager:wasm": `npm install @tensorflow/tfjs-backend-wasm@${tensorflow}`,
    "eager:tensorflow": `npm install @tensorflow/tfjs-node-gpu@${tensorflow} (or @tensorflow/tfjs-node@${tensorflow} without a GPU), allowing its install script`,
  };
}

function vulkanAdvice(): string {
  if (process.platform !== "linux") return "update the graphics driver.";
  return "install a Vulkan loader and the GPU's driver: on Debian libvulkan1 and mesa-vulkan-drivers (version 25 or newer also runs without a GPU, slowly), or NVIDIA's driver.";
}

function describeFacts({
  salle,
  machine,
  packages,
}: Pick<DoctorReport, "salle" | "machine" | "packages">): string[] {
  const { node, os, cpu, numCores, memoryGiB, freeMemoryGiB } = machine;
  const commit = salle.commit === undefined ? "" : ` (commit ${salle.commit})`;
  const rows = [
    ["Salle", `${salle.version}${commit} in ${salle.folder}`],
    ["Node", node],
    ["System", os],
    ["Processor", `${cpu}, ${numCores} cores`],
    ["Memory", `${memoryGiB} GiB, ${freeMemoryGiB} free`],
    ...Object.entries(packages).map(([name, version]) => [name, version ?? "not installed"]),
  ];
  return [...rows.map(([name, value]) => `${name!.padEnd(26)}${value}`), "", "Devices"];
}

function describeDevice(report: DeviceReport): string[] {
  const name = report.device.padEnd(18);
  if (report.works) {
    const [compiled, run] = [report.compileMs.toFixed(0), report.runMs.toFixed(2)];
    return [`  ✓ ${name}works: compiled in ${compiled} ms, ran in ${run} ms`];
  }
  return [`  ✗ ${name}${report.reason}`, `    ${"".padEnd(18)}to get it: ${report.advice}`];
}
