import type { Schemas } from "../api/client";
import { sentence, type Field } from "../lib/schema";
import type { MetricRow } from "./job";

type Job = Schemas["Job"];
/** x, then each series, as uPlot takes them. */
export type Columns = [number[], ...(number | null)[][]];

/** A metric of several jobs by epoch, as a chart takes it: every epoch that any of them has; null where one has none. */
export function aligned(rows: readonly (readonly MetricRow[])[], name: string): Columns {
  const epochs = [...new Set(rows.flat().map((row) => row.epoch))].toSorted((a, b) => a - b);
  const series = rows.map((of) => {
    const known = new Map(of.map((row) => [row.epoch, row.metrics[name]]));
    return epochs.map((epoch) => {
      const value = known.get(epoch);
      return typeof value === "number" && Number.isFinite(value) ? value : null;
    });
  });
  return [epochs, ...series];
}

/** The metrics that any of them has: the one the first is judged by before all others. */
export function metricNames(jobs: readonly Job[], rows: readonly (readonly MetricRow[])[]): string[] {
  const first = jobs.flatMap((job) => job.best?.name ?? []);
  const names = rows.flat().flatMap((row) => Object.keys(row.metrics));
  return [...new Set([...first.filter((name) => names.includes(name)), ...names.toSorted()])];
}

/** null: its framework knows no such setting. */
type Given = { value: unknown; byDefault: boolean } | null;
export type Setting = { name: string; title: string; values: Given[] };

/** The hyperparameters in which they are not all alike. What one was not given holds by its framework's default; what
 * another framework alone knows is no difference until somebody sets it. */
export function differing(jobs: readonly Job[], fields: (framework: string) => Field[]): Setting[] {
  const known = jobs.map((job) => fields(job.framework));
  const names = new Set([...known.flat().map((field) => field.name), ...jobs.flatMap((job) => Object.keys(job.config))]);
  const settings = [...names].map((name) => ({
    name,
    title: known.flat().find((field) => field.name === name)?.title ?? sentence(name),
    values: jobs.map((job, i) => given(job, known[i]!, name)),
  }));
  return settings.filter(({ values }) => {
    const there = values.filter((value) => value !== null);
    if (there.some((value) => !alike(value, there[0]!))) return true;
    return there.length < values.length && there.some((value) => !value.byDefault);
  });
}

function given(job: Job, fields: Field[], name: string): Given {
  if (Object.hasOwn(job.config, name)) return { value: job.config[name], byDefault: false };
  const field = fields.find((f) => f.name === name);
  return field ? { value: field.default, byDefault: true } : null;
}

export const alike = (a: Given, b: Given): boolean => (a === null || b === null ? a === b : written(a.value) === written(b.value));

const written = (value: unknown): string => JSON.stringify(value ?? null);

export type Change = { by: number; better: boolean | null };

/** How far a value is from the baseline's; null where either is missing. `better` is null where they are the same. */
export function changeOf(value: number | null | undefined, base: number | null | undefined, mode: string = "max"): Change | null {
  if (value === null || value === undefined || base === null || base === undefined) return null;
  const by = value - base;
  return { by, better: by === 0 ? null : mode === "min" ? by < 0 : by > 0 };
}
