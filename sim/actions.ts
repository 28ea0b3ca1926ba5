// What every door that actions come through asks of them.

/** Throws unless these are `numRows` rows of `width` finite numbers; `row` names one: "env", "step". */
export function checkActions(
  actions: ArrayLike<number>,
  numRows: number,
  width: number,
  row: string,
  firstRow = 0,
): void {
  const wanted = numRows * width;
  if (actions.length !== wanted) {
    const rows = `${numRows} ${row}${numRows === 1 ? "" : "s"} of ${width} numbers`;
    throw new Error(`actions for ${rows} are ${wanted} numbers, got ${actions.length}`);
  }
  for (let i = 0; i < wanted; i++) {
    if (!Number.isFinite(actions[i]!))
      throw new Error(
        `number ${i % width} of the action of ${row} ${firstRow + Math.floor(i / width)} is ${actions[i]}, expected a finite one`,
      );
  }
}
