// Address: run, episode, time and camera as part of the page's URL, so that a link shows the same.

/** What a link may say; everything else starts as usual. */
export interface Address {
  readonly run: string | null;
  readonly episode: string | null;
  readonly index: number;
  readonly task: string | null;
  readonly seed: number;
  readonly time: number | null; // s
  readonly camera: readonly number[] | null; // camera − target, m
  readonly view: "episode" | "curves";
}

export function readAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const number = (name: string, other: number): number => {
    const value = Number(query.get(name) ?? Number.NaN);
    return Number.isFinite(value) ? value : other;
  };
  const camera = query.get("cam")?.split(",").map(Number) ?? [];
  return {
    run: query.get("run"),
    episode: query.get("episode"),
    index: Math.max(0, Math.floor(number("n", 0))),
    task: query.get("task"),
    seed: Math.max(0, Math.floor(number("seed", 1))),
    time: query.has("t") ? Math.max(0, number("t", 0)) : null,
    camera: camera.length === 3 && camera.every(Number.isFinite) ? camera : null,
    view: query.get("view") === "curves" ? "curves" : "episode",
  };
}

/** The query of an address; a token in the current one stays. */
export function writeAddress(address: Address, current: string): string {
  const query = new URLSearchParams();
  const token = new URLSearchParams(current).get("token");
  const put = (name: string, value: string | null): void => {
    if (value !== null) query.set(name, value);
  };
  put("token", token);
  put("run", address.run);
  put("episode", address.episode);
  put("n", address.index > 0 ? String(address.index) : null);
  put("task", address.task);
  put("seed", address.task !== null && address.seed !== 1 ? String(address.seed) : null);
  put("t", address.time === null ? null : address.time.toFixed(2));
  put("cam", address.camera?.map((value) => value.toFixed(2)).join() ?? null);
  put("view", address.view === "curves" ? "curves" : null);
  const text = query.toString().replaceAll("%2C", ",");
  return text === "" ? "" : `?${text}`;
}
