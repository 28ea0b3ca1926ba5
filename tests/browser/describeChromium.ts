// Tests that need Chromium.

import { describe, test } from "vitest";
import { chromiumMissing } from "../../viewer/chromium.ts";

/** `describe` for tests that need Chromium. Without it they are skipped, but in CI they fail. */
export function describeChromium(name: string, body: () => void): void {
  if (chromiumMissing === undefined) return void describe(name, body);
  if (!process.env["CI"]) return void describe.skip(`${name} (${chromiumMissing})`, body);
  describe(name, () => {
    test("has a Chromium", () => {
      throw new Error(chromiumMissing);
    });
  });
}
