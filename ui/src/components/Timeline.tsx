import "./Timeline.css";
import { useQuery } from "@tanstack/react-query";
import { elapsed } from "../lib/format";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

/** What was done for the job, step by step, each with its state, tries and time. */
export function Timeline({ jobId, ended, now }: { jobId: string; ended: boolean; now: number }) {
  const t = useWords();
  const timeline = useQuery(jobQueries.timeline(jobId));
  if (timeline.isError) return <Failure error={timeline.error} retry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Skeleton height={120} label={t.timeline.loading} />;
  if (timeline.data.activities.length === 0) return <p className="dim small">{ended ? t.timeline.none : t.timeline.noneYet}</p>;
  return (
    <ol className="timeline">
      {timeline.data.activities.map((activity) => (
        <li key={`${activity.name} ${activity.attempt} ${activity.started_at}`} data-status={activity.status}>
          <strong>
            {t.activities[activity.name]}
            {activity.attempt > 1 && <span className="dim"> · {t.timeline.attempt({ n: activity.attempt })}</span>}
            {activity.tries > 1 && <span className="dim"> · {t.count.tries({ n: activity.tries })}</span>}
            <span className="visually-hidden">, {t.activityStates[activity.status]}</span>
          </strong>
          <span className="dim nowrap">{elapsed(activity.started_at, activity.ended_at ?? null, now)}</span>
          {activity.message && <p className="dim break">{activity.message}</p>}
        </li>
      ))}
    </ol>
  );
}
