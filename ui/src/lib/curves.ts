/** From rows of metrics to what a chart draws: curves over one axis, smoothed, and no more points than pixels. */
import { isRatio } from "./format";
import type { Axis } from "./job-search";

export type Row = { kind: string; epoch: number; step: number | null; time: string; attempt: number; metrics: Record<string, number | null>; superseded: boolean };
/** Of the job whose curves they are. */
export type Begun = { created_at: string; started_at: string | null };
export type Points = { x: number[]; y: (number | null)[] };
export type Curve = Points & {
  name: string;
  /** The attempt whose epochs a later one trained again; null: the history that counts. */
  lost: number | null;
};

export type Group = "loss" | "quality" | "rate" | "load" | "memory" | `of ${string}`;

export function groupOf(name: string): Group {
  if (name.startsWith("system/")) return /mem|rss/.test(name) ? "memory" : "load";
  if (/loss/i.test(name)) return "loss";
  if (isRatio(name)) return "quality";
  if (/(^|[/_])(lr|learning_rate)([/_\d]|$)/i.test(name)) return "rate";
  return `of ${name.slice(name.lastIndexOf("/") + 1)}`;
}

const FIRST: Group[] = ["loss", "quality", "rate"];
const LAST: Group[] = ["load", "memory"];

/** Names by group: losses, what is good when it is high, rates, then each other kind, then the machine. */
export function groups(names: Iterable<string>): [Group, string[]][] {
  const found = new Map<Group, string[]>();
  for (const name of names) found.set(groupOf(name), [...(found.get(groupOf(name)) ?? []), name]);
  const rank = (group: Group): number => (FIRST.includes(group) ? FIRST.indexOf(group) - FIRST.length : LAST.includes(group) ? 1 + LAST.indexOf(group) : 0);
  return [...found].map(([group, all]): [Group, string[]] => [group, all.toSorted(byUse)]).toSorted(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** Training before validation; within these the plain names first. */
const byUse = (a: string, b: string): number => Number(b.startsWith("train")) - Number(a.startsWith("train")) || a.length - b.length || a.localeCompare(b);

/**
 * A curve for each name, and one for each lost attempt's part of it. Where there are rows of steps and the axis is fine
 * enough to show them, a metric that has both is drawn by its steps.
 */
export function curvesOf(rows: readonly Row[], axis: Axis, begun: Begun): Curve[] {
  const place = placer(rows, axis, begun);
  const parts = new Map<number | null, { curves: Map<string, Curve>; bySteps: Set<string> }>();
  const partOf = (row: Row) => {
    const lost = row.superseded ? row.attempt : null;
    let part = parts.get(lost);
    if (!part) parts.set(lost, (part = { curves: new Map(), bySteps: new Set() }));
    return part;
  };
  if (axis !== "epoch") for (const row of rows) if (row.kind === "step") for (const name in row.metrics) partOf(row).bySteps.add(name);
  for (const row of rows) {
    const x = place(row);
    if (x === null || (row.kind === "step" && axis === "epoch")) continue;
    const { curves, bySteps } = partOf(row);
    for (const name in row.metrics) {
      if (row.kind === "epoch" && bySteps.has(name)) continue;
      let curve = curves.get(name);
      if (!curve) curves.set(name, (curve = { name, lost: row.superseded ? row.attempt : null, x: [], y: [] }));
      const value = row.metrics[name]!;
      curve.x.push(x);
      curve.y.push(Number.isFinite(value) ? value : null);
    }
  }
  return [...parts.values()].flatMap((part) => [...part.curves.values()].map(inOrder));
}

/** Those that have any value: a trainer may name what it could not measure. */
export const withValues = (curves: readonly Curve[]): Curve[] => curves.filter((curve) => curve.y.some((value) => value !== null));

/** Where a row stands on the axis. Time is of training: the wait between a job and the one it goes on from is left out. */
function placer(rows: readonly Row[], axis: Axis, begun: Begun): (row: Row) => number | null {
  if (axis === "epoch") return (row) => row.epoch;
  if (axis === "step") return (row) => row.step;
  const own = Date.parse(begun.started_at ?? begun.created_at);
  const earlier = rows.map((row) => Date.parse(row.time)).filter((time) => time < own);
  const first = earlier.reduce((a, b) => Math.min(a, b), own);
  const wait = own - earlier.reduce((a, b) => Math.max(a, b), first);
  return (row) => {
    const time = Date.parse(row.time);
    return (time - first - (time < own ? 0 : wait)) / 1000;
  };
}

function inOrder(curve: Curve): Curve {
  if (curve.x.every((x, i) => i === 0 || curve.x[i - 1]! <= x)) return curve;
  const order = curve.x.map((_, i) => i).toSorted((a, b) => curve.x[a]! - curve.x[b]!);
  return { ...curve, x: order.map((i) => curve.x[i]!), y: order.map((i) => curve.y[i]!) };
}

/** Exponentially: each value weighs (1 - weight), what came before the rest; corrected, so that the start is not pulled to 0. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let [sum, power] = [0, 1];
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + (1 - weight) * value;
    power *= weight;
    return sum / (1 - power);
  });
}

/**
 * What of a curve can be seen between `lo` and `hi` on so many pixels: of each pixel the first, the lowest, the highest
 * and the last point, and one beyond each edge, so that the line goes on there.
 */
export function decimate({ x, y }: Points, lo: number, hi: number, pixels: number): Points {
  const from = Math.max(0, firstAtLeast(x, lo) - 1);
  const until = Math.min(x.length, firstAtLeast(x, hi, true) + 1);
  if (until - from <= 4 * pixels) return { x: x.slice(from, until), y: y.slice(from, until) };
  const kept: Points = { x: [], y: [] };
  const width = (hi - lo) / pixels;
  const keep = (indices: number[]): void => {
    for (const i of [...new Set(indices)].toSorted((a, b) => a - b)) {
      kept.x.push(x[i]!);
      kept.y.push(y[i]!);
    }
  };
  for (let i = from; i < until; ) {
    const end = lo + (Math.floor((x[i]! - lo) / width) + 1) * width;
    let [low, high, last] = [i, i, i];
    const first = i;
    do {
      const value = y[i]!;
      if (value !== null && (y[low] === null || value < y[low]!)) low = i;
      if (value !== null && (y[high] === null || value > y[high]!)) high = i;
      last = i++;
    } while (i < until && x[i]! < end);
    keep([first, low, high, last]);
  }
  return kept;
}

/** Curves over one column of x, as uPlot takes them; null where one has no point. */
export function joined(curves: readonly Points[]): [number[], ...(number | null)[][]] {
  const xs = [...new Set(curves.flatMap((curve) => curve.x))].toSorted((a, b) => a - b);
  const at = new Map(xs.map((x, i) => [x, i]));
  const columns = curves.map(({ x, y }) => {
    const column = Array.from<number | null>({ length: xs.length }).fill(null);
    x.forEach((value, i) => (column[at.get(value)!] = y[i]!));
    return column;
  });
  return [xs, ...columns];
}

/** The value of the point nearest to `x`; the last one for null. */
export function valueAt({ x, y }: Points, at: number | null): number | null {
  if (x.length === 0) return null;
  if (at === null) return y.findLast((value) => value !== null) ?? null;
  const after = Math.min(x.length - 1, firstAtLeast(x, at));
  const before = Math.max(0, after - 1);
  return y[at - x[before]! < x[after]! - at ? before : after] ?? null;
}

export function extent(curves: readonly Points[]): [number, number] | null {
  const filled = curves.filter((curve) => curve.x.length > 0);
  if (filled.length === 0) return null;
  return [Math.min(...filled.map(({ x }) => x[0]!)), Math.max(...filled.map(({ x }) => x.at(-1)!))];
}

/** A range made `factor` times as wide about its middle, and moved by a share of it; never beyond what there is. */
export function moved([lo, hi]: [number, number], [least, most]: [number, number], { factor = 1, by = 0 }): [number, number] | null {
  const width = Math.min((hi - lo) * factor, most - least);
  const start = (lo + hi) / 2 - width / 2 + by * width;
  const from = Math.min(Math.max(start, least), most - width);
  return width >= most - least || width <= 0 ? null : [from, from + width];
}

/** Rows as a spreadsheet reads them: a line for each, a column for each metric. */
export function csvOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  const head = ["kind", "epoch", "step", "time", "attempt", "superseded", ...names];
  const lines = rows.map((row) => [row.kind, row.epoch, row.step, row.time, row.attempt, row.superseded, ...names.map((name) => row.metrics[name])]);
  return [head, ...lines].map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** A text that begins like a formula would be one in a spreadsheet: trainers name the metrics. */
function cell(value: string | number | boolean | null | undefined): string {
  if (typeof value !== "string") return value === null || value === undefined ? "" : String(value);
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** The first index whose x is at least `value`; with `beyond`, greater than it. */
function firstAtLeast(x: readonly number[], value: number, beyond = false): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beyond ? x[middle]! <= value : x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
