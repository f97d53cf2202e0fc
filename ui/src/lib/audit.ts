/** Reading the audit: what a list of entries is narrowed to, and what an entry says. */
import type { Schemas } from "../api/client";
import { text } from "./search";

type Entry = Schemas["AuditEntry"];

export const KINDS = ["user", "session", "token", "invitation", "project", "member", "quota", "dataset", "upload", "job", "artifact"] as const;
export type Kind = (typeof KINDS)[number];

/** As it stands in the address. `action` is one, or how several begin: `job.`; the dates are days of the reader's own. */
export type AuditSearch = { person?: string; action?: string; project?: string; since?: string; until?: string };

export const auditSearch = (search: Record<string, unknown>): AuditSearch => ({
  person: text(search.person),
  action: text(search.action),
  project: text(search.project),
  since: day(search.since),
  until: day(search.until),
});

/** What the server is asked for. A last day belongs to what is shown. */
export function auditQuery({ person, action, project, since, until }: AuditSearch) {
  return {
    ...(person && { user_id: person }),
    ...(action && { action: action.slice(0, 40) }),
    ...(project && { project_id: project }),
    ...(since && { since: midnight(since, 0) }),
    ...(until && { until: midnight(until, 1) }),
  };
}

export type Detail = { field: string; old?: unknown; value: unknown };

/** Ids say nothing to a reader; what was renamed or measured does. */
export function details(entry: Pick<Entry, "detail">): Detail[] {
  return Object.entries(entry.detail)
    .filter(([, value]) => value !== null && !isId(value))
    .map(([field, value]) => (isChange(value) ? { field, old: value.old, value: value.new } : { field, value }));
}

const isChange = (value: unknown): value is { old: unknown; new: unknown } => typeof value === "object" && value !== null && "old" in value && "new" in value;

const isId = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(value);

function day(value: unknown): string | undefined {
  const given = text(value);
  return given && /^\d{4}-\d\d-\d\d$/.test(given) && !Number.isNaN(Date.parse(given)) ? given : undefined;
}

function midnight(of: string, later: number): string {
  const [year, month, date] = of.split("-").map(Number);
  return new Date(year!, month! - 1, date! + later).toISOString();
}
