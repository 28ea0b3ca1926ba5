import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DoctorReport } from "../../cli/doctor.ts";
import { probe } from "../../cli/probe.ts";
import { deviceNames } from "../../nn/compile.ts";
import { salle } from "./salle.ts";

describe("salle doctor", () => {
  test("reports every device, working or with a reason and advice, and ends well", async () => {
    const { code, output } = await salle("doctor", "--json");
    expect(code).toBe(0);
    const report: DoctorReport = JSON.parse(output);
    expect(report.ok).toBe(true);
    expect(report.devices.map(({ device }) => device)).toEqual(deviceNames);
    for (const device of report.devices) {
      if (device.works) expect(device.runMs).toBeGreaterThan(0);
      else {
        expect(device.reason).toMatch(/^\S.*\S$/); // one line
        expect(device.advice).toMatch(/install/);
      }
    }
    const working = report.devices.filter(({ works }) => works).map(({ device }) => device);
    expect(working).toEqual(expect.arrayContaining(["cpu", "eager:cpu", "eager:wasm"]));
    expect(report.machine.node).toBe(process.version);
    expect(report.packages["onnxruntime-node"]).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.salle.version).toMatch(/^\d+\.\d+\.\d+/);
    if (existsSync(join(report.salle.folder, ".git"))) {
      expect(report.salle.commit).toMatch(/^[0-9a-f]{7,}/);
    }
  });

  test("prints the same for people", async () => {
    const { code, output } = await salle("doctor");
    expect(code).toBe(0);
    expect(output).toMatch(/✓ cpu +works: compiled in \d+ ms, ran in \d+\.\d+ ms/);
    expect(output).toContain("Ready: programs run on cpu");
    expect(output).toContain(process.version);
  });
});

describe("a probe", () => {
  test("says no for a device that there is not", async () => {
    expect(await probe("abacus", 60_000)).toEqual({
      works: false,
      reason: expect.stringContaining('unknown device "abacus"; known: cpu'),
    });
  });

  test("is ended when it takes too long", async () => {
    expect(await probe("cpu", 20)).toEqual({ works: false, reason: "no answer within 0.02 s" });
  });
});

describe("the command line", () => {
  test("explains itself", async () => {
    for (const args of [["--help"], ["help"], []]) {
      const { output, errors } = await salle(...args);
      expect(output + errors).toContain("salle doctor");
      expect(output + errors).toContain("say what this machine can run programs on");
    }
    expect((await salle("help", "doctor")).output).toContain("Examples:");
    expect((await salle("--version")).output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("suggests the command that was meant", async () => {
    const { code, errors } = await salle("docter");
    expect(code).toBe(1);
    expect(errors).toContain("unknown command 'docter'");
    expect(errors).toContain("Did you mean doctor?");
  });
});
