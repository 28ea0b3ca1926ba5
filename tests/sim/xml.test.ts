import { describe, expect, test } from "vitest";
import { readXml } from "../../sim/xml.ts";

const read = (text: string) => readXml(text, "robot.xml");

test("gives names, attributes, children and the line of each tag", () => {
  const root = read(
    '<?xml version="1.0"?>\n<!-- a robot -->\n<a b="1 &lt; 2"\n  c="&#65;">\n  text\n  <d/>\n</a>',
  );
  expect([root.name, root.line]).toEqual(["a", 3]);
  expect([...root.attributes]).toEqual([
    ["b", "1 < 2"],
    ["c", "A"],
  ]);
  expect(root.children.map(({ name, line }) => [name, line])).toEqual([["d", 6]]);
});

const bomb = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from(
  { length: 9 },
  (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i || ""};`.repeat(10)}">`,
).join("")}]><lolz>&lol9;</lolz>`;

const hostile: Readonly<Record<string, readonly [text: string, error: RegExp]>> = {
  "a billion laughs": [bomb, /robot\.xml:1: a document type .* is not accepted/],
  "an external entity": [
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<a>&x;</a>',
    /robot\.xml:1: a document type/,
  ],
  "an unknown entity": ["<a>\n&x;</a>", /robot\.xml:2: undefined entity/],
  "ten megabytes": ["x".repeat(10_000_000), /has 10000000 characters; at most 4000000/],
  "a depth of 10,000": ["<a>".repeat(10_000), /nested more than 100 deep/],
  "a million elements": [`<a>${"<b/>".repeat(900_000)}</a>`, /more than 200000 elements/],
  "a hundred thousand attributes": [
    `<a ${Array.from({ length: 250_000 }, (_, i) => `b${i}=""`).join(" ")}/>`,
    /more than 200000 elements and attributes/,
  ],
  "an attribute given twice": ['<a b="1"\nb="2"/>', /robot\.xml:2: attribute "b" is given twice/],
  "an open tag": ["<a>\n<b>", /robot\.xml:2: unclosed tag/],
  "tags that cross": ["<a><b></a></b>", /robot\.xml:1: unexpected close tag/],
  "two roots": ["<a/>\n<b/>", /robot\.xml:2: documents may contain only one root/],
  "no element": ["", /robot\.xml:1: document must contain a root element/],
  "no XML at all": ["solid cube\nfacet normal", /robot\.xml:/],
  "a NUL byte": ["<a b='\u0000'/>", /robot\.xml:1: disallowed character/],
};

describe("refuses within a second", () => {
  test.each(Object.entries(hostile))("%s", (_, [text, error]) => {
    const start = performance.now();
    expect(() => read(text)).toThrow(error);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test("keeps an attribute called __proto__ as any other", () => {
  const root = read('<a __proto__="1"/>');
  expect(root.attributes.get("__proto__")).toBe("1");
});
