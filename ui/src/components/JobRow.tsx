import "../pages/jobs.css";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import { ENDED, type Schemas } from "../api/client";
import { ago, duration, elapsed, metric, metricShort, metricTitle } from "../lib/format";
import { useMayEdit, useProjectName } from "../lib/projects";
import { useWords } from "../words";
import { Bar, JobBadge, jobTone } from "./states";

/** A job in a line: state, progress, best metric, time, and the way to train it again. `pick` stands before it. */
export function JobRow({ job, now, pick }: { job: Schemas["Job"]; now: number; pick?: ReactNode }) {
  const t = useWords();
  const project = useProjectName(job.project_id);
  const mayEdit = useMayEdit(job.project_id);
  // What the server calls a job that was given no name.
  const unnamed = `${job.model_name} on ${job.dataset_name}`;
  const outcome = job.error?.message ?? job.state_reason;
  const ended = ENDED.includes(job.state);
  return (
    <div className="job-row">
      {pick}
      <div className="job-what">
        <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="job-name clip">
          {job.name}
        </Link>
        <div className="small dim clip">
          {job.name !== unnamed && `${t.what({ model: job.model_name, dataset: job.dataset_name })} · `}
          {job.framework} · {ago(job.created_at, now)}
          {project !== null && ` · ${project}`}
        </div>
      </div>
      <div className="job-state">
        <JobBadge job={job} />
      </div>
      <div className="job-how stack-s">
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
      <div className="job-best small num">
        {job.best && (
          <span title={metricTitle(job.best.name)}>
            {metric(job.best.name, job.best.value)} <span className="dim">{metricShort(job.best.name)}</span>
          </span>
        )}
      </div>
      <div className="job-time small dim num">{job.started_at && elapsed(job.started_at, job.ended_at, now)}</div>
      {mayEdit && (
        <Link to="/train" search={{ from: job.id } as never} className="job-again" aria-label={t.jobs.again({ name: job.name })} title={t.jobs.again({ name: job.name })}>
          <RotateCcw size={16} aria-hidden />
        </Link>
      )}
    </div>
  );
}

/** What stands in a row, for those who see many of them under each other. */
export function JobColumns() {
  const t = useWords().jobs;
  return (
    <div className="job-row job-columns" aria-hidden="true">
      <span className="job-pick" />
      <span>{t.training}</span>
      <span>{t.state}</span>
      <span>{t.progress}</span>
      <span className="num">{t.best}</span>
      <span className="num">{t.time}</span>
    </div>
  );
}
