// The same compiled program in Node and on WebGPU in headless Chromium.

import { expect, test } from "vitest";
import { launchChromium } from "../../viewer/chromium.ts";
import { beyond, both, callsOf, compileBoth, labOf } from "./compare.ts";
import { describeChromium } from "./describeChromium.ts";
import { createLab } from "./lab.ts";
import { serveSite } from "./site.ts";

// WebGPU on the processor, so that it can be tested on a machine without a graphics card.
const softwareWebGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
];

describeChromium("a compiled program on WebGPU in Chromium", () => {
  test.each([
    ["smooth", 10],
    ["update", 2],
  ] as const)("makes updates as in Node within 1e-4: %s", async (kind, numCalls) => {
    const browser = await launchChromium(softwareWebGpu);
    const site = await serveSite("tests/browser/lab.ts");
    try {
      const page = await site.open(browser);
      expect(await page.evaluate(async () => (await navigator.gpu.requestAdapter()) !== null)).toBe(
        true,
      );
      const labs = { inNode: createLab(), inPage: labOf(page) };
      await compileBoth(labs, kind, 8, { device: "webgpu" });
      const { got, wanted } = await both(labs, callsOf(kind, 8, numCalls));
      expect(beyond(1e-4, got.outputs, wanted.outputs)).toEqual([]);
      expect(beyond(1e-4, got.state, wanted.state)).toEqual([]);
    } finally {
      await browser.close();
      await site.close();
    }
  });
});
