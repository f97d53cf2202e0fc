/** Limits as people write them (GB, hours) and as the API has them (bytes, seconds). */
import type { Schemas } from "../api/client";

type Quota = Schemas["Quota"];

export const LIMITS = ["datasets", "storage_bytes", "gpu_seconds", "running"] as const;
export type Limit = (typeof LIMITS)[number];
export type Form = Record<Limit, string>;

const UNITS: Record<Limit, number> = { datasets: 1, storage_bytes: 1e9, gpu_seconds: 3600, running: 1 };

/** Nothing stands for no limit. */
export const toForm = (quota: Record<Limit, number | null>): Form => ({
  datasets: written(quota, "datasets"),
  storage_bytes: written(quota, "storage_bytes"),
  gpu_seconds: written(quota, "gpu_seconds"),
  running: written(quota, "running"),
});

/** A field that was not touched keeps its number to the last byte. */
export function fromForm(form: Form, before: Quota): { quota: Record<Limit, number | null>; wrong: Limit[] } {
  const shown = toForm(before);
  const wrong = LIMITS.filter((limit) => form[limit] !== shown[limit] && read(form[limit], limit) === undefined);
  const value = (limit: Limit): number | null => (form[limit] === shown[limit] ? before[limit] : (read(form[limit], limit) ?? null));
  return { quota: { datasets: value("datasets"), storage_bytes: value("storage_bytes"), gpu_seconds: value("gpu_seconds"), running: value("running") }, wrong };
}

/** Whether nothing more may be begun; what is not counted cannot be used up. */
export const isUsedUp = (quota: Quota, limit: Limit): boolean => {
  const [most, used] = [quota[limit], quota.used[limit]];
  return most !== null && used !== null && used >= most;
};

export const isWhole = (limit: Limit): boolean => UNITS[limit] === 1;

function written(quota: Record<Limit, number | null>, limit: Limit): string {
  const most = quota[limit];
  return most === null ? "" : (most / UNITS[limit]).toFixed(9).replace(/\.?0+$/, "");
}

/** Null: no limit; undefined: it cannot be read. A comma may stand for the point. */
function read(typed: string, limit: Limit): number | null | undefined {
  const given = typed.trim().replace(",", ".");
  if (given === "") return null;
  const value = Number(given) * UNITS[limit];
  const fits = /^\d+(\.\d+)?$/.test(given) && Number.isSafeInteger(Math.round(value)) && (!isWhole(limit) || (Number.isInteger(value) && value < 2 ** 31));
  return fits ? Math.round(value) : undefined;
}
