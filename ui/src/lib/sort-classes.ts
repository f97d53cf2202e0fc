import type { ClassColumn } from "./job-search";

type OfClass = { class: string; precision?: number | null; recall?: number | null; support?: number | null };

/** By a column, as asked; without one, in the data set's own order. What is not defined comes last either way. */
export function sortClasses<T extends OfClass>(rows: readonly T[], column: ClassColumn | undefined, down: boolean): T[] {
  if (column === undefined) return [...rows];
  const sign = down ? -1 : 1;
  if (column === "class") return rows.toSorted((a, b) => sign * a.class.localeCompare(b.class, undefined, { numeric: true }));
  const of = (row: T): number | null => row[column === "images" ? "support" : column] ?? null;
  return rows.toSorted((a, b) => {
    const [x, y] = [of(a), of(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}

/** A heading that is pressed again turns the order round, and then gives it up. */
export function nextOrder(column: ClassColumn, sort: ClassColumn | undefined, down: boolean): { sort: ClassColumn | undefined; down: true | undefined } {
  if (sort !== column) return { sort: column, down: undefined };
  return down ? { sort: undefined, down: undefined } : { sort: column, down: true };
}
