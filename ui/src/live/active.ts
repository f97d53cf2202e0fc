import { useQuery } from "@tanstack/react-query";
import { $api, type Schemas } from "../api/client";
import { AT_WORK } from "./job";

type Job = Schemas["Job"];

const MOST = 50;

/** What trains now, of everybody's that one may see. Asked for once, however many look at it. */
export const runningQuery = $api.queryOptions("get", "/api/v1/training/jobs", { params: { query: { state: AT_WORK, limit: MOST } } });

export const useRunning = (every: number) => useQuery({ ...runningQuery, refetchInterval: every });

/** How far they are together, in per cent. */
export const progressOf = (jobs: readonly Job[]): number => (jobs.length === 0 ? 0 : jobs.reduce((sum, job) => sum + job.progress, 0) / jobs.length);

/** A list with what is known newer of some of its jobs put in its place. */
export function refreshed(jobs: readonly Job[], newer: readonly Job[]): Job[] {
  const known = new Map(newer.map((job) => [job.id, job]));
  return jobs.map((job) => {
    const other = known.get(job.id);
    return other && other.event_seq >= job.event_seq ? other : job;
  });
}
