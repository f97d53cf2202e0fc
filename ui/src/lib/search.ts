/** Reading what stands in an address: anything unknown counts as absent. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;

export const oneOf = <const T extends string>(values: readonly T[], value: unknown): T | undefined => values.find((v) => v === value);

/** For links to views of one page: only the one whose search is the address's is the current one. */
export const EXACTLY = { includeSearch: true, explicitUndefined: true } as const;

export const JOB_FILTERS = ["running", "waiting", "completed", "failed", "cancelled"] as const;
export type JobFilter = (typeof JOB_FILTERS)[number];
