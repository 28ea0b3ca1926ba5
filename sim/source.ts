// Reading values out of an XML element, and keeping a list of everything that was not understood.
//
// A reader goes on after a mistake and reports them all at the end, each as `file:line: what is wrong`.

import type { XmlElement } from "./xml.ts";

/** How an element's attributes are treated, as lists of names with blanks between. */
export interface Support {
  /** Read and used. */
  readonly used: string;
  /** Known and left out on purpose: they change nothing here, or the task chooses. */
  readonly ignored?: string;
  /** Not supported, and harmless while they hold these values. */
  readonly neutral?: Readonly<Record<string, string>>;
}

const largest = 1e10; // as in MuJoCo: anything beyond is a mistake
const maxListed = 30;

/** One file being read: where it is, what is wrong with it, what was left out of it. */
export class Source {
  /** `file:line: message` for what was left out and does no harm. */
  readonly warnings: string[] = [];
  private readonly problems: string[] = [];
  private file: string;

  constructor(file: string) {
    this.file = file;
  }

  problem(element: XmlElement, message: string): undefined {
    this.problems.push(`${this.place(element)}: ${message}`);
  }

  warn(element: XmlElement, message: string): undefined {
    this.warnings.push(`${this.place(element)}: ${message}`);
  }

  /** Throws one error that lists all problems, if there are any. */
  finish(): void {
    const { problems } = this;
    if (problems.length === 0) return;
    const listed = problems.slice(0, maxListed);
    if (problems.length > maxListed) listed.push(`and ${problems.length - maxListed} more`);
    throw new Error(
      listed.length === 1 ? listed[0] : `${this.file} cannot be used:\n  ${listed.join("\n  ")}`,
    );
  }

  /** Reports attributes that `support` does not know. */
  checkAttributes(element: XmlElement, support: Support): void {
    const known = `${support.used} ${support.ignored ?? ""}`.split(" ");
    for (const [name, value] of element.attributes) {
      if (known.includes(name) || sameValue(support.neutral?.[name], value)) continue;
      this.problem(
        element,
        `attribute ${name}="${short(value)}" of <${element.name}> is not supported`,
      );
    }
  }

  text(element: XmlElement, name: string): string | undefined {
    return element.attributes.get(name);
  }

  /** The attribute's text, which must be there. */
  required(element: XmlElement, name: string): string {
    const value = element.attributes.get(name);
    if (value === undefined) this.problem(element, `<${element.name}> needs ${name}="…"`);
    return value ?? "";
  }

  /** Between `fewest` and `most` finite numbers; undefined where missing or malformed. */
  numbers(element: XmlElement, name: string, fewest: number, most = fewest): number[] | undefined {
    const value = element.attributes.get(name);
    if (value === undefined) return undefined;
    const words = value.trim() === "" ? [] : value.trim().split(/\s+/);
    const wanted = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
    if (words.length < fewest || words.length > most) {
      return this.problem(
        element,
        `${name} of <${element.name}> wants ${wanted} numbers, got "${short(value)}"`,
      );
    }
    const numbers = words.map((word) => (numeral.test(word) ? Number(word) : Number.NaN));
    if (numbers.every((number) => Math.abs(number) <= largest)) return numbers;
    return this.problem(
      element,
      `${name} of <${element.name}> wants finite numbers up to ${largest}, got "${short(value)}"`,
    );
  }

  number(element: XmlElement, name: string): number | undefined {
    return this.numbers(element, name, 1)?.[0];
  }

  /** A number that must not be negative. */
  amount(element: XmlElement, name: string): number | undefined {
    const number = this.number(element, name);
    if (number === undefined || number >= 0) return number;
    return this.problem(
      element,
      `${name} of <${element.name}> must not be negative, got ${number}`,
    );
  }

  vector(element: XmlElement, name: string): [number, number, number] | undefined {
    const numbers = this.numbers(element, name, 3);
    return numbers && [numbers[0]!, numbers[1]!, numbers[2]!];
  }

  /** Low and high, low ≤ high. */
  range(element: XmlElement, name: string): [number, number] | undefined {
    const numbers = this.numbers(element, name, 2);
    if (!numbers) return undefined;
    const [low, high] = numbers as [number, number];
    if (low <= high) return [low, high];
    return this.problem(element, `${name} of <${element.name}> is upside down: ${low} to ${high}`);
  }

  /** One of `words`; undefined where missing. */
  choice<Word extends string>(
    element: XmlElement,
    name: string,
    words: readonly Word[],
  ): Word | undefined {
    const value = element.attributes.get(name);
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value);
    return (
      found ??
      this.problem(
        element,
        `${name} of <${element.name}> must be one of ${words.join(", ")}, got "${short(value)}"`,
      )
    );
  }

  /** Names what is missing a counterpart here. */
  unsupported(element: XmlElement, why = ""): undefined {
    return this.problem(element, `<${element.name}> is not supported${why && `: ${why}`}`);
  }

  private place(element: XmlElement): string {
    return `${element.file}:${element.line}`;
  }
}

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Whether two attribute texts say the same: as words, or as numbers ("0.0 0" is "0"). */
function sameValue(neutral: string | undefined, value: string): boolean {
  if (neutral === undefined) return false;
  const words = value.trim().split(/\s+/);
  const wanted = neutral.split(" ");
  return words.every((word, i) => {
    const want = wanted[Math.min(i, wanted.length - 1)]!;
    return word === want || (numeral.test(word) && Number(word) === Number(want));
  });
}

function short(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value;
}

/** The name among `known` that is most like `name`, as " – did you mean …?", or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  let best = "";
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best && `; did you mean "${best}"?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitute));
    }
    row = next;
  }
  return row[b.length]!;
}
