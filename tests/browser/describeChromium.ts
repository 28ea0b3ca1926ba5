// Tests that need a browser.

import { describe, test } from "vitest";
import { chromiumMissing } from "../../viewer/chromium.ts";

/** `describe` for tests that need Chromium. Without it they are skipped, but in CI they fail. */
export function describeChromium(name: string, body: () => void): void {
  describeWith(chromiumMissing, name, body);
}

/** `describe` for tests that need what `missing` says is not there. */
export function describeWith(missing: string | undefined, name: string, body: () => void): void {
  if (missing === undefined) return void describe(name, body);
  if (!process.env["CI"]) return void describe.skip(`${name} (${missing})`, body);
  describe(name, () => {
    test("has its browser", () => {
      throw new Error(missing);
    });
  });
}
