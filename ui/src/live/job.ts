import type { Schemas } from "../api/client";
import type { Row } from "../lib/curves";
import type { JobEvent } from "./stream";

type Job = Schemas["Job"];
type State = Job["state"];

export const AT_WORK: State[] = ["running", "finalizing", "starting"];
export const WAITING: State[] = ["queued", "validating", "pending"];
export type MetricRow = Schemas["MetricRow"];
export type Stale = "job" | "timeline" | "attempts" | "validation" | "artifacts" | "logs" | "metrics";

/** What an event says about the job itself, put into the snapshot. Later ones never move it back. */
export function patchJob(job: Job, event: JobEvent): Job {
  if (event.seq <= job.event_seq) return job;
  const next = { ...job, event_seq: event.seq };
  const data = event.data;
  if (event.type === "state") return { ...next, state: data.state as Job["state"], state_reason: String(data.reason ?? "") };
  if (event.type !== "progress") return next;
  return {
    ...next,
    epoch: Number(data.epoch ?? job.epoch),
    total_epochs: (data.total_epochs as number | null | undefined) ?? job.total_epochs,
    progress: Number(data.progress ?? job.progress),
    eta_seconds: (data.eta_seconds as number | null | undefined) ?? null,
    metrics: { ...job.metrics, ...(data.metrics as Job["metrics"] | undefined) },
  };
}

/** Those nearest to their end first: what runs, what starts, then what waits by its place in the queue. */
export function byTurn(a: Job, b: Job): number {
  const rank = (job: Job): number => TURNS.indexOf(job.state);
  return rank(a) - rank(b) || (a.queue_position ?? Infinity) - (b.queue_position ?? Infinity) || 0;
}
const TURNS = [...AT_WORK, ...WAITING];

/** Puts an `epoch` event's row where it belongs: rows are kept by epoch, a later report of one replaces it. */
export function upsertRow(rows: MetricRow[], event: JobEvent): MetricRow[] {
  const { epoch, step, attempt, metrics } = event.data as Pick<MetricRow, "epoch" | "step" | "attempt" | "metrics">;
  const row: MetricRow = { kind: "epoch", epoch, step: step ?? null, attempt, metrics, time: event.time, superseded: false };
  const at = rows.findIndex((r) => r.epoch >= epoch);
  if (at < 0) return [...rows, row];
  return rows[at]!.epoch === epoch ? rows.with(at, row) : rows.toSpliced(at, 0, row);
}

/** What a `progress` event says of the machine, as a row of metrics; none where it says nothing. */
export function loadRow(event: JobEvent): Row[] {
  if (event.type !== "progress" || !event.data.system) return [];
  const { epoch, step, progress, total_epochs, system } = event.data as { epoch: number; step: number | null; progress: number; total_epochs: number | null; system: Record<string, number | null> };
  const metrics = Object.fromEntries(Object.entries(system).map(([name, value]) => [`system/${name}`, value]));
  return [{ kind: "load", epoch: total_epochs ? (progress / 100) * total_epochs : epoch, step: step ?? null, time: event.time, attempt: 0, metrics, superseded: false }];
}

/** What has to be fetched again after these events, because they only say that it changed. */
export function staleAfter(events: JobEvent[]): Set<Stale> {
  const stale = new Set<Stale>();
  for (const { type } of events) for (const part of STALE[type] ?? []) stale.add(part);
  return stale;
}

const STALE: Record<string, readonly Stale[]> = {
  state: ["job", "timeline"],
  activity: ["timeline", "job"],
  attempt: ["job", "timeline", "metrics", "attempts"],
  validation: ["job", "validation"],
  log: ["logs"],
  artifact: ["artifacts"],
  trainer: ["timeline"],
};
