import { createStore } from "../lib/store";
import type { Schemas } from "../api/client";

/** Of which jobs and projects one wants to be told, besides one's own jobs: kept by this browser, the latest of them. */
export type Watched = { jobs: readonly string[]; projects: readonly string[] };
type Kind = keyof Watched;

const KEY = "visionai-watched";
const KEPT = 50;
const NOTHING: Watched = { jobs: [], projects: [] };

const store = createStore<Watched>(read());

export const watched = {
  get: store.get,
  subscribe: store.subscribe,
  put(kind: Kind, id: string, on: boolean): void {
    const others = store.get()[kind].filter((known) => known !== id);
    const next = { ...store.get(), [kind]: on ? [...others, id].slice(-KEPT) : others };
    localStorage.setItem(KEY, JSON.stringify(next));
    store.set(next);
  },
  /** When somebody signs out. */
  forget(): void {
    localStorage.removeItem(KEY);
    store.set(NOTHING);
  },
};

/** Whether its end is to be told to `me`. */
export const concerns = (job: Pick<Schemas["Job"], "id" | "project_id" | "created_by">, me: string, { jobs, projects }: Watched): boolean =>
  job.created_by.id === me || jobs.includes(job.id) || projects.includes(job.project_id);

function read(): Watched {
  try {
    const { jobs, projects } = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Record<Kind, unknown>>;
    return { jobs: ids(jobs), projects: ids(projects) };
  } catch {
    return NOTHING;
  }
}

const ids = (kept: unknown): string[] => (Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : []);
