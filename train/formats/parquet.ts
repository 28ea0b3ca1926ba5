// Parquet files, by hyparquet and hyparquet-writer: the one door to them.

import { existsSync } from "node:fs";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { fileWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";

/** A column's kind; `width` where each value is a list of that many floats. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: "FLOAT" | "DOUBLE" | "INT64" | "BOOLEAN" | "STRING";
  /** Lists of any length. */
  readonly isList?: boolean;
}

/** Writes rows of columns, group after group. */
export class ParquetFile {
  private readonly writer: ParquetWriter;
  private readonly columns: readonly ParquetColumn[];

  constructor(path: string, columns: readonly ParquetColumn[], metadata: [string, string][] = []) {
    this.columns = columns;
    this.writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: schemaOf(columns),
      kvMetadata: metadata.map(([key, value]) => ({ key, value })),
    });
  }

  /** A row group: each column's values, INT64 as bigints, lists as arrays. */
  write(values: Readonly<Record<string, unknown[]>>): void {
    const columnData = this.columns.map(({ name }) => ({ name, data: values[name]! }));
    this.writer.write({ columnData, rowGroupSize: Number.MAX_SAFE_INTEGER });
  }

  close(): void {
    this.writer.finish();
  }
}

function schemaOf(columns: readonly ParquetColumn[]): SchemaElement[] {
  const elements = columns.flatMap(({ name, type, isList }): SchemaElement[] => {
    const leaf = (leafName: string): SchemaElement =>
      type === "STRING"
        ? {
            name: leafName,
            type: "BYTE_ARRAY",
            converted_type: "UTF8",
            repetition_type: "REQUIRED",
          }
        : { name: leafName, type, repetition_type: "REQUIRED" };
    if (!isList) return [leaf(name)];
    return [
      { name, converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      leaf("element"),
    ];
  });
  return [{ name: "schema", num_children: columns.length }, ...elements];
}

export type ParquetRow = Readonly<Record<string, unknown>>;

/** Calls back for each row group's rows with some of the columns; throws where a column is missing. */
export async function readParquet(
  path: string,
  columns: readonly string[],
  visit: (rows: readonly ParquetRow[]) => void,
): Promise<void> {
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  const { file, metadata } = await openParquet(path);
  const known = new Set(metadata.schema.slice(1).map(({ name }) => name));
  for (const column of columns)
    if (!known.has(column))
      throw new Error(`${path} wants a column "${column}", it has ${[...known].join(", ")}`);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const options = { file, metadata, columns: [...columns], rowStart, rowEnd };
    visit((await parquetReadObjects(options)) as ParquetRow[]);
    rowStart = rowEnd;
  }
}

async function openParquet(path: string) {
  try {
    const file = await asyncBufferFromFile(path);
    return { file, metadata: await parquetMetadataAsync(file) };
  } catch (error) {
    throw new Error(`${path} is no Parquet file that can be read: ${(error as Error).message}`);
  }
}
