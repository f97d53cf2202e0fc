/** What stands in a job page's address: which view, and all that one has chosen to see in it. */
import { drop, names, natural, oneOf, text } from "./search";

export const JOB_VIEWS = ["results", "log", "settings"] as const;
export const AXES = ["epoch", "step", "time"] as const;
export type Axis = (typeof AXES)[number];
export const LEVELS = ["debug", "info", "warning", "error"] as const;
export type Level = (typeof LEVELS)[number];
export const CLASS_COLUMNS = ["class", "precision", "recall", "images"] as const;
export type ClassColumn = (typeof CLASS_COLUMNS)[number];

export type JobSearch = {
  view?: (typeof JOB_VIEWS)[number];
  /** Charts: what is not said is as it is by default. */
  x?: Exclude<Axis, "epoch">;
  smooth?: number;
  log?: true;
  lost?: true;
  load?: true;
  /** Curves that are shown by default and hidden here, and the other way round. */
  hide?: string[];
  show?: string[];
  from?: number;
  to?: number;
  /** Results. */
  share?: true;
  sort?: ClassColumn;
  down?: true;
  true?: string;
  predicted?: string;
  /** The log: what is sought in it, and the lines that are marked, counted from 1. */
  q?: string;
  level?: Level[];
  line?: number;
  last?: number;
};

const MOST_SMOOTHED = 0.99;

/** Anything unknown counts as absent: an address may come from anywhere. */
export function readJobSearch(search: Record<string, unknown>): JobSearch {
  const [from, to] = [finite(search.from), finite(search.to)];
  const zoomed = from !== undefined && to !== undefined && from < to;
  const smooth = finite(search.smooth);
  const line = natural(search.line);
  const last = natural(search.last);
  const axis = oneOf(AXES, search.x);
  return drop({
    view: oneOf(JOB_VIEWS, search.view),
    x: axis === "epoch" ? undefined : axis,
    smooth: smooth !== undefined && smooth > 0 ? Math.min(MOST_SMOOTHED, smooth) : undefined,
    log: yes(search.log),
    lost: yes(search.lost),
    load: yes(search.load),
    hide: names(search.hide),
    show: names(search.show),
    from: zoomed ? from : undefined,
    to: zoomed ? to : undefined,
    share: yes(search.share),
    sort: oneOf(CLASS_COLUMNS, search.sort),
    down: yes(search.down),
    true: text(search.true),
    predicted: text(search.predicted),
    q: text(search.q),
    level: levels(search.level),
    line,
    last: line !== undefined && last !== undefined && last > line ? last : undefined,
  });
}

/** A curve shown or hidden: the address keeps only what differs from the default. */
export function toggled(search: JobSearch, name: string, byDefault: boolean): Pick<JobSearch, "hide" | "show"> {
  const list = byDefault ? "hide" : "show";
  const before = search[list] ?? [];
  const after = before.includes(name) ? before.filter((n) => n !== name) : [...before, name];
  return { [list]: after.length > 0 ? after : undefined };
}

export const isShown = (search: JobSearch, name: string, byDefault: boolean): boolean => (byDefault ? !search.hide?.includes(name) : (search.show?.includes(name) ?? false));

const finite = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) ? value : undefined);

const yes = (value: unknown): true | undefined => (value === true ? true : undefined);

function levels(value: unknown): Level[] | undefined {
  const found = LEVELS.filter((level) => Array.isArray(value) && value.includes(level));
  return found.length > 0 && found.length < LEVELS.length ? found : undefined;
}
