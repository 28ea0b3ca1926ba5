// XML from strangers → a small tree whose elements know their lines.
//
// saxes (ISC, the parser of jsdom) does the reading. It fetches nothing and expands nothing but the five
// predefined entities and characters by number. Here a document type is refused outright, and so are
// documents that are too large, too deep or too finely cut.

import { SaxesParser } from "saxes";

/** One element. Text between elements is dropped: neither MJCF nor URDF uses it. */
export interface XmlElement {
  readonly name: string;
  readonly file: string;
  readonly line: number; // of the tag's name, from 1
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const maxCharacters = 4_000_000;
const maxDepth = 100;
const maxNodes = 200_000; // elements and attributes together

interface OpenElement extends XmlElement {
  readonly attributes: Map<string, string>;
  readonly children: OpenElement[];
}

/** Reads one document; `file` names it in errors, which read `file:line: what is wrong`. */
export function readXml(text: string, file: string): XmlElement {
  if (text.length > maxCharacters) {
    throw new Error(
      `${file}:1: the file has ${text.length} characters; at most ${maxCharacters} are read`,
    );
  }
  const parser = new SaxesParser({ position: true });
  const open: OpenElement[] = [];
  let root: OpenElement | undefined;
  let numNodes = 0;

  const fail = (message: string): never => {
    throw new Error(`${file}:${parser.line}: ${message}`);
  };
  const count = (): void => {
    numNodes += 1;
    if (numNodes > maxNodes) fail(`more than ${maxNodes} elements and attributes`);
  };

  parser.on("error", (error) => fail(error.message.replace(/^\d+:\d+: /, "")));
  parser.on("doctype", () => fail("a document type (<!DOCTYPE …>) is not accepted"));
  parser.on("opentagstart", ({ name }) => {
    count();
    if (open.length === maxDepth) fail(`elements are nested more than ${maxDepth} deep`);
    const element = { name, file, line: parser.line, attributes: new Map(), children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on("attribute", ({ name, value }) => {
    count();
    const { attributes } = open.at(-1)!;
    if (attributes.has(name)) fail(`attribute "${name}" is given twice`);
    attributes.set(name, value);
  });
  parser.on("closetag", () => open.pop());
  parser.write(text).close();
  return root ?? fail("the file has no element");
}
