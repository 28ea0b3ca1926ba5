import { expect, test } from "vitest";
import { type Painter, startPainter } from "../../viewer/pictures.ts";
import { describeChromium } from "./describeChromium.ts";

const picture = { task: "hopper", step: 0, seed: 1, theme: "light", format: "png" } as const;
const size = { width: 240, height: 160 };

describeChromium("pictures", () => {
  test("show the robot at its start and elsewhere after some steps, the same each time", async () => {
    const painter: Painter = await startPainter();
    try {
      const start = await painter.draw({ ...picture, ...size });
      const later = await painter.draw({ ...picture, ...size, step: 20 });
      const again = await painter.draw({ ...picture, ...size });
      expect(start.subarray(1, 4).toString()).toBe("PNG");
      expect([start.readUInt32BE(16), start.readUInt32BE(20)]).toEqual([240, 160]);
      expect(start.length).toBeGreaterThan(5_000); // an empty picture is under 1 kB
      expect(start.equals(later)).toBe(false);
      expect(start.equals(again)).toBe(true);
    } finally {
      await painter.close();
    }
  });
});
