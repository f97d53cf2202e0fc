import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { $api, api, ENDED, unwrap, type Schemas } from "../api/client";
import { follow, type Connection } from "./follow";
import type { Row } from "../lib/curves";
import { loadRow, patchJob, staleAfter, upsertRow, WAITING, type Stale } from "./job";
import type { JobEvent } from "./stream";
import { logKey } from "./use-log";

/** A job is told nothing when those before it in the queue move on. */
const QUEUE_MOVES_MS = 5_000;
/** Download links are signed for an hour. */
const LINKS_GOOD_FOR_MS = 50 * 60_000;

const STEPS_MS = 10_000;

const path = (id: string) => ({ params: { path: { job_id: id } } });

export const jobQueries = {
  job: (id: string) => $api.queryOptions("get", "/api/v1/training/jobs/{job_id}", path(id)),
  metrics: (id: string) =>
    $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/metrics", { params: { path: { job_id: id }, query: { kind: "epoch" } } }),
  /** Finer rows, which events do not bring. */
  steps: (id: string, running: boolean) =>
    $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/metrics", { params: { path: { job_id: id }, query: { kind: "step" } } }, { refetchInterval: running && STEPS_MS, structuralSharing: false }),
  withLost: (id: string) =>
    $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/metrics", { params: { path: { job_id: id }, query: { superseded: true } } }),
  load: (id: string, running: boolean) => ({
    queryKey: ["job-load", id] as const,
    queryFn: ({ client }: { client: QueryClient }) => moreLoad(id, client.getQueryData<Load>(["job-load", id])),
    refetchInterval: running && STEPS_MS,
  }),
  attempts: (id: string) => $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/attempts", path(id)),
  timeline: (id: string) => $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/timeline", path(id)),
  artifacts: (id: string) => $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/artifacts", path(id), { refetchInterval: LINKS_GOOD_FOR_MS }),
  validation: (id: string) => $api.queryOptions("get", "/api/v1/training/jobs/{job_id}/validation", path(id)),
};

/** A job that stays current by itself while the component is there. */
export function useLiveJob(id: string) {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const job = useQuery({ ...jobQueries.job(id), refetchInterval: (query) => (query.state.data && WAITING.includes(query.state.data.state) ? QUEUE_MOVES_MS : false) });
  const known = job.data !== undefined;

  useEffect(() => {
    const snapshot = client.getQueryData<Schemas["Job"]>(jobQueries.job(id).queryKey);
    if (!known || !snapshot || ENDED.includes(snapshot.state)) return;
    return follow(snapshot.event_seq, (seq) => socketUrl(id, seq), {
      onEvents: (events) => apply(client, id, events),
      onConnection(state) {
        setConnection(state);
        if (state === "ended") refetch(client, id, ["job", "timeline", "validation", "artifacts", "logs", "metrics", "attempts"]);
      },
    });
  }, [client, id, known]);

  return { job, lost: connection === "lost" };
}

/** Every row there is, lost ones too. */
export async function everyRow(id: string): Promise<Schemas["MetricRow"][]> {
  const query = { superseded: true };
  return (await unwrap(api.GET("/api/v1/training/jobs/{job_id}/metrics", { params: { path: { job_id: id }, query } }))).items;
}

type Load = { rows: Row[]; seq: number };

/** How busy the machine was, out of the job's events: what is known, and those since. */
async function moreLoad(id: string, known: Load = { rows: [], seq: 0 }): Promise<Load> {
  const rows = [...known.rows];
  let seq = known.seq;
  for (let next: string | null | undefined = "more"; next; ) {
    const page = await unwrap(api.GET("/api/v1/training/jobs/{job_id}/events", { params: { path: { job_id: id }, query: { since: seq } } }));
    rows.push(...page.items.flatMap(loadRow));
    seq = page.items.at(-1)?.seq ?? seq;
    next = page.next_cursor;
  }
  return { rows, seq };
}

async function socketUrl(id: string, since: number): Promise<string> {
  const ticket = await unwrap(api.POST("/api/v1/auth/ticket", { body: { job_id: id } }));
  const query = new URLSearchParams({ token: ticket.token, since: String(since) });
  return `${location.origin.replace(/^http/, "ws")}/ws/training/${id}?${query}`;
}

function apply(client: QueryClient, id: string, events: JobEvent[]): void {
  const epochs = events.filter((e) => e.type === "epoch");
  client.setQueryData<Schemas["Job"]>(jobQueries.job(id).queryKey, (job) => job && events.reduce(patchJob, job));
  client.setQueryData<{ items: Schemas["MetricRow"][]; next_cursor?: string | null }>(
    jobQueries.metrics(id).queryKey,
    (page) => page && { ...page, items: epochs.reduce(upsertRow, page.items) },
  );
  const stale = staleAfter(events);
  // An answer under way may be older than these rows, and would take their place.
  const metrics = client.getQueryState(jobQueries.metrics(id).queryKey);
  if (epochs.length && (!metrics?.data || metrics.fetchStatus === "fetching")) stale.add("metrics");
  refetch(client, id, stale);
}

/** Of epochs, of steps and of lost attempts. */
const EVERY_METRICS = (id: string) => ["get", "/api/v1/training/jobs/{job_id}/metrics", path(id)] as const;

function refetch(client: QueryClient, id: string, parts: Iterable<Stale>): void {
  for (const part of parts) {
    const queryKey = part === "logs" ? logKey(id) : part === "metrics" ? EVERY_METRICS(id) : jobQueries[part](id).queryKey;
    // What is being fetched already may miss this change: cancelling asks once more, now.
    void client.invalidateQueries({ queryKey }, { cancelRefetch: true });
  }
}
