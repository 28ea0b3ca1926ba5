// <include file="…"/>: puts the children of another file's root in its place.

import type { Source } from "../source.ts";
import { readXml, type XmlElement } from "../xml.ts";

/** Text of the file of that name, which is relative to the first file; undefined where there is none. */
export type ReadFile = (name: string) => string | undefined;

const maxFiles = 100;

/** The tree with its includes replaced. As in MuJoCo, a file may be included once. */
export function expandIncludes(
  source: Source,
  root: XmlElement,
  readFile: ReadFile | undefined,
): XmlElement {
  const seen = new Set<string>([root.file]);

  const included = (element: XmlElement): readonly XmlElement[] => {
    const name = source.required(element, "file");
    if (!readFile) source.unsupported(element, "this reader has one file alone");
    else if (seen.has(name)) source.problem(element, `"${name}" is included twice`);
    else if (seen.size === maxFiles) source.problem(element, `more than ${maxFiles} files`);
    else {
      seen.add(name);
      const text = readFile(name);
      if (text !== undefined) return expand(readXml(text, name)).children;
      source.problem(element, `there is no file "${name}"`);
    }
    return [];
  };
  const expand = (element: XmlElement): XmlElement => ({
    ...element,
    children: element.children.flatMap((child) =>
      child.name === "include" ? included(child) : [expand(child)],
    ),
  });
  return expand(root);
}
