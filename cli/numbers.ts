// Numbers as they are typed on the command line.

/** A whole number from `least` on. */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`${name} wants a whole number from ${least}, got "${text}"`);
}

/** A finite number. */
export function finiteNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new Error(`${name} wants a number, got "${text}"`);
}

/** "10%" or "0.1" as 0.1; above 0, at most 1. */
export function share(name: string, text: string): number {
  const percent = /^(.+)%$/.exec(text);
  const value = percent ? Number(percent[1]) / 100 : Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1) return value;
  throw new Error(`${name} wants a share such as 10% or 0.1, above 0 and at most 1, got "${text}"`);
}

/** "50" or "50..200"; one end may be missing. */
export function range(name: string, text: string): { least: number; most: number } {
  const [from = "", to = from, ...rest] = text.split("..");
  const least = from === "" ? 0 : Number(from);
  const most = to === "" ? Number.POSITIVE_INFINITY : Number(to);
  if (text.trim() !== "" && rest.length === 0 && text !== ".." && least <= most)
    return { least, most };
  throw new Error(`${name} wants a number or a range such as 50..200, got "${text}"`);
}
