import "../pages/jobs.css";
import { Link } from "@tanstack/react-router";
import { ENDED, type Schemas } from "../api/client";
import { ago, duration, elapsed, metric, metricShort, metricTitle } from "../lib/format";
import { useWords } from "../words";
import { Bar, JobBadge, jobTone } from "./states";

/** A job in a line: state, progress, best metric, time. */
export function JobRow({ job, now }: { job: Schemas["Job"]; now: number }) {
  const t = useWords();
  // What the server calls a job that was given no name.
  const unnamed = `${job.model_name} on ${job.dataset_name}`;
  const outcome = job.error?.message ?? job.state_reason;
  const ended = ENDED.includes(job.state);
  return (
    <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="job-row">
      <div>
        <div className="job-name clip">{job.name}</div>
        <div className="small dim clip">
          {job.name !== unnamed && `${t.what({ model: job.model_name, dataset: job.dataset_name })} · `}
          {job.framework} · {ago(job.created_at, now)}
        </div>
      </div>
      <div>
        <JobBadge job={job} />
      </div>
      <div className="stack-s">
        {ended ? (
          outcome && <span className="small dim clip">{outcome}</span>
        ) : job.started_at ? (
          <>
            <Bar value={job.progress} label={t.jobs.progressOf({ name: job.name })} tone={jobTone(job)} />
            <span className="small dim clip">
              {t.jobs.epoch({ n: job.epoch, total: job.total_epochs })}
              {job.eta_seconds === null || job.cancel_requested ? "" : ` · ${t.jobs.left({ time: duration(job.eta_seconds) })}`}
            </span>
          </>
        ) : (
          <span className="small dim">{job.queue_position ? t.jobs.inQueue({ n: job.queue_position }) : job.state_reason}</span>
        )}
      </div>
      <div className="small num">
        {job.best && (
          <span title={metricTitle(job.best.name)}>
            {metric(job.best.name, job.best.value)} <span className="dim">{metricShort(job.best.name)}</span>
          </span>
        )}
      </div>
      <div className="small dim num">{job.started_at && elapsed(job.started_at, job.ended_at, now)}</div>
    </Link>
  );
}

/** What stands in a row, for those who see many of them under each other. */
export function JobColumns() {
  const t = useWords().jobs;
  return (
    <div className="job-row job-columns" aria-hidden="true">
      <span>{t.training}</span>
      <span>{t.state}</span>
      <span>{t.progress}</span>
      <span className="num">{t.best}</span>
      <span className="num">{t.time}</span>
    </div>
  );
}
