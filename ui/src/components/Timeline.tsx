import "./Timeline.css";
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../api/client";
import { elapsed } from "../lib/format";
import { jobQueries } from "../live/use-job";
import { Failure, Skeleton } from "./states";

const TITLES: Record<Schemas["Activity"]["name"], string> = {
  validate_dataset: "Check the data set",
  create_training_job: "Start the trainer",
  monitor_training: "Train",
  cleanup_training_job: "Clean up",
};

/** What was done for the job, step by step, each with its state, tries and time. */
export function Timeline({ jobId, ended, now }: { jobId: string; ended: boolean; now: number }) {
  const timeline = useQuery(jobQueries.timeline(jobId));
  if (timeline.isError) return <Failure error={timeline.error} retry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Skeleton height={120} label="Loading the timeline" />;
  if (timeline.data.activities.length === 0) return <p className="dim small">{ended ? "None was begun." : "None was begun yet."}</p>;
  return (
    <ol className="timeline">
      {timeline.data.activities.map((activity) => (
        <li key={`${activity.name} ${activity.attempt} ${activity.started_at}`} data-status={activity.status}>
          <strong>
            {TITLES[activity.name]}
            {activity.attempt > 1 && <span className="dim"> · attempt {activity.attempt}</span>}
            {activity.tries > 1 && <span className="dim"> · {activity.tries} tries</span>}
            <span className="visually-hidden">, {activity.status}</span>
          </strong>
          <span className="dim nowrap">{elapsed(activity.started_at, activity.ended_at ?? null, now)}</span>
          {activity.message && <p className="dim break">{activity.message}</p>}
        </li>
      ))}
    </ol>
  );
}
