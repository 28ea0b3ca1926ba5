// MJCF default classes: settings that elements inherit by class, and classes from the class around them.

import { didYouMean, type Source } from "../source.ts";
import type { XmlElement } from "../xml.ts";
import { otherDefaults, support } from "./schema.ts";

type Kind = "joint" | "geom" | "site" | "actuator" | "material" | "mesh";
type Settings = ReadonlyMap<string, string>;
type DefaultClass = Partial<Record<Kind, Settings>>;

const kinds = ["joint", "geom", "site", "material", "mesh"] as const;
const actuatorElements = ["general", "motor", "position", "velocity"];

/** The default classes of one file. */
export class Defaults {
  private readonly classes = new Map<string, DefaultClass>([["main", {}]]);
  private source: Source;

  constructor(source: Source, sections: readonly XmlElement[]) {
    this.source = source;
    for (const section of sections) this.readTop(section);
  }

  /** The element with every attribute it inherits from its own class, or else from `childClass`. */
  apply(element: XmlElement, kind: Kind, childClass: string): XmlElement {
    this.source.checkAttributes(element, support[kind]);
    const own = element.attributes.get("class");
    const settings = this.find(element, own ?? childClass)[kind];
    if (!settings) return element;
    return { ...element, attributes: new Map([...settings, ...element.attributes]) };
  }

  /** Reports a class that is nowhere defined. */
  find(element: XmlElement, name: string): DefaultClass {
    const found = this.classes.get(name);
    if (!found) {
      const hint = didYouMean(name, [...this.classes.keys()]);
      this.source.problem(element, `unknown default class "${name}"${hint}`);
    }
    return found ?? {};
  }

  private readTop(section: XmlElement): void {
    const name = section.attributes.get("class") ?? "main";
    if (name !== "main" && this.classes.size > 1) this.checkNew(section, name);
    // The outermost class may have any name; elements without a class belong to it.
    this.read(section, name, this.classes.get("main")!);
    if (name !== "main") this.classes.set("main", this.classes.get(name)!);
  }

  private read(section: XmlElement, name: string, parent: DefaultClass): void {
    const settings: DefaultClass = { ...parent };
    this.classes.set(name, settings);
    const nested = section.children.filter((child) => child.name === "default");
    for (const child of section.children) if (child.name !== "default") this.set(child, settings);
    for (const child of nested) {
      const childName = this.source.required(child, "class");
      this.checkNew(child, childName);
      this.read(child, childName, settings);
    }
  }

  private set(element: XmlElement, settings: DefaultClass): void {
    const kind = kindOf(element.name);
    if (kind) {
      this.source.checkAttributes(element, support[kind]);
      settings[kind] = new Map([...(settings[kind] ?? []), ...element.attributes]);
    } else if (!otherDefaults.includes(element.name)) {
      this.source.unsupported(element, "unknown in <default>");
    }
  }

  private checkNew(element: XmlElement, name: string): void {
    if (this.classes.has(name)) {
      this.source.problem(element, `default class "${name}" is defined twice`);
    }
  }
}

function kindOf(name: string): Kind | undefined {
  if (actuatorElements.includes(name)) return "actuator";
  return kinds.find((kind) => kind === name);
}
