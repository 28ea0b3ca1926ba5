// Interleaved timing: contenders take turns, so that a noisy minute hits them all.

/** Something to time: runs for about the given time and returns the milliseconds of each repetition. */
export interface Contender {
  readonly case: string;
  readonly name: string;
  sample(milliseconds: number): Promise<readonly number[]>;
  dispose?(): Promise<void>;
}

export interface TurnOptions {
  readonly rounds: number;
  /** Time of one turn. */
  readonly milliseconds: number;
}

/** All samples of each contender after `rounds` turns each. */
export async function takeTurns(
  contenders: readonly Contender[],
  { rounds, milliseconds }: TurnOptions,
): Promise<Map<Contender, number[]>> {
  const samples = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      await contender.sample(milliseconds / 10); // wakes its threads and fills the caches
      samples.get(contender)!.push(...(await contender.sample(milliseconds)));
      await pause();
    }
  }
  return samples;
}

/** Repeats a call for the given time, at least so many times. */
export async function repeatFor(
  milliseconds: number,
  call: () => Promise<unknown>,
  least = 3,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  while (times.length < least || performance.now() < end) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return times;
}

/** Long enough for the last contender's idle threads to stop spinning. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
