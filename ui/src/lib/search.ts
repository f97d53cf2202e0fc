/** Reading what stands in an address: anything unknown counts as absent. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;

export const oneOf = <const T extends string>(values: readonly T[], value: unknown): T | undefined => values.find((v) => v === value);

export const natural = (value: unknown): number | undefined => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined);

const MOST_NAMES = 200;

export function names(value: unknown): string[] | undefined {
  const found = Array.isArray(value) ? value.map(text).filter((n) => n !== undefined) : [];
  return found.length > 0 ? [...new Set(found)].slice(0, MOST_NAMES) : undefined;
}

/** Without what is undefined, so that two searches that say the same are the same. */
export const drop = <T extends object>(given: { [K in keyof T]: T[K] | undefined }): T => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;

/** For links to views of one page: only the one whose search is the address's is the current one. */
export const EXACTLY = { includeSearch: true, explicitUndefined: true } as const;

export const JOB_FILTERS = ["running", "waiting", "completed", "failed", "cancelled"] as const;
export type JobFilter = (typeof JOB_FILTERS)[number];

export const JOB_SORTS = ["best", "duration"] as const;
export const SINCE = ["day", "week", "month"] as const;

/** What a list of jobs is narrowed to and sorted by, as it stands in the address. */
export type JobSearch = {
  state?: JobFilter;
  q?: string;
  framework?: string;
  model?: string;
  dataset?: string;
  who?: string;
  project?: string;
  since?: (typeof SINCE)[number];
  sort?: (typeof JOB_SORTS)[number];
  /** A job that is chosen already: one came here to find another to compare it with. */
  with?: string;
};

export const jobSearch = (search: Record<string, unknown>): JobSearch => ({
  state: oneOf(JOB_FILTERS, search.state),
  q: text(search.q),
  framework: text(search.framework),
  model: text(search.model),
  dataset: text(search.dataset),
  who: text(search.who),
  project: text(search.project),
  since: oneOf(SINCE, search.since),
  sort: oneOf(JOB_SORTS, search.sort),
  with: text(search.with),
});

export const MOST_COMPARED = 8;

/** The jobs of a comparison: `a,b,c`, each once, the first to compare the others with. */
export const jobIds = (value: string | undefined): string[] => [...new Set(value?.split(",").map((id) => id.trim()).filter(Boolean))];
