// What leads from a reset and actions to physics must have the same bits in every engine: engines differ in
// Math.sin, exp, pow and their like, and in `**`. sim/math.ts has portable ones.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url)); // from dist/tests/sim

/** Of Math, what IEEE 754 or the language fixes to the bit. */
const portable = new Set(
  "abs ceil floor fround imul clz32 max min round sign sqrt trunc PI SQRT2 SQRT1_2 LN2 LN10 E".split(
    " ",
  ),
);

/** Lines that an engine may compute differently, "line: text". */
function unportable(source: string): string[] {
  const code = source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/\/\/.*$/gm, "");
  return code.split("\n").flatMap((line, i) => {
    const names = [...line.matchAll(/\bMath\.(\w+)/g)].map(([, name]) => name!);
    const bad = names.some((name) => !portable.has(name)) || /[\w)\]]\s*\*\*=?\s*[\w(]/.test(line);
    return bad || /\{[^}]*\}\s*=\s*Math\b/.test(line) ? [`${i + 1}: ${line.trim()}`] : [];
  });
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

test("finds what engines compute differently, and only that", () => {
  expect(unportable("const a = Math.sin(x);\n// Math.cos\nconst b = x ** 2;")).toEqual([
    "1: const a = Math.sin(x);",
    "3: const b = x ** 2;",
  ]);
  expect(unportable("const { exp } = Math;")).toHaveLength(1);
  expect(unportable("/** 2 ** 3 */ const c = Math.sqrt(Math.PI) * 2;")).toEqual([]);
});

/** What experts do is recorded as actions, as what policies do. */
const tasks = sourcesIn("tasks").filter((file) => !file.startsWith(join("tasks", "experts")));

test.each([...sourcesIn("sim"), ...tasks])("%s computes the same bits everywhere", (file) => {
  expect(unportable(readFileSync(join(root, file), "utf8"))).toEqual([]);
});
