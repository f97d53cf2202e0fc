import "./job.css";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { ENDED, type Schemas } from "../api/client";
import { JobActions } from "../components/JobActions";
import { JobOverview } from "../components/JobOverview";
import { JobResults } from "../components/JobResults";
import { JobSettings } from "../components/JobSettings";
import { LogTail } from "../components/LogTail";
import { Bar, Callout, Failure, JobBadge, jobTone, Skeleton } from "../components/states";
import { duration, elapsed, metric, metricTitle } from "../lib/format";
import { useNow, useTitle } from "../lib/hooks";
import { EXACTLY } from "../lib/search";
import { WAITING } from "../live/job";
import { useLiveJob } from "../live/use-job";

type Job = Schemas["Job"];
const FROM = "/inside/jobs/$jobId";
const VIEWS = [
  { label: "Overview", view: undefined },
  { label: "Results", view: "results" },
  { label: "Log", view: "log" },
  { label: "Settings", view: "settings" },
] as const;

export function JobPage() {
  const { jobId } = useParams({ from: FROM });
  return <LiveJob key={jobId} id={jobId} />;
}

function LiveJob({ id }: { id: string }) {
  const { job, lost } = useLiveJob(id);
  const { view } = useSearch({ from: FROM });
  const running = job.data !== undefined && !ENDED.includes(job.data.state);
  const now = useNow(running);
  useTitle(job.data ? `${running ? `${Math.floor(job.data.progress)} %` : job.data.state} ${job.data.name}` : "Job");
  if (job.data === undefined) {
    if (job.isError) return <Failure error={job.error} retry={() => void job.refetch()} />;
    return <Skeleton height="70vh" label="Loading the job" />;
  }
  return (
    <>
      <Head job={job.data} />
      <div className="stack-l">
        {job.data.error && (
          <Callout tone="bad" title={job.data.error.message}>
            {job.data.error.hint && <p>{job.data.error.hint}</p>}
          </Callout>
        )}
        {lost && <Callout tone="lamp" title="Connection lost, reconnecting… The training itself goes on." />}
        <Now job={job.data} now={now} />
        <nav className="views" aria-label="Views">
          {VIEWS.map((entry) => (
            <Link key={entry.label} to="/jobs/$jobId" params={{ jobId: id }} search={{ view: entry.view }} activeOptions={EXACTLY}>
              {entry.label}
            </Link>
          ))}
        </nav>
        {view === undefined && <JobOverview job={job.data} now={now} />}
        {view === "results" && <JobResults job={job.data} />}
        {view === "log" && <LogTail jobId={id} ended={!running} />}
        {view === "settings" && <JobSettings job={job.data} />}
      </div>
    </>
  );
}

function Head({ job }: { job: Job }) {
  return (
    <header className="page-head">
      <div className="stack-s">
        <div className="row wrap">
          <h1>{job.name}</h1>
          <JobBadge job={job} />
        </div>
        <p className="dim small">
          {job.model_name} ({job.framework}) on{" "}
          {job.dataset_deleted ? (
            `${job.dataset_name}, which was deleted`
          ) : (
            <Link to="/datasets/$datasetId" params={{ datasetId: job.dataset_id }}>
              {job.dataset_name}
            </Link>
          )}
          {" · "}
          {job.created_by.name}
          {job.parent_job_id && (
            <>
              {" · "}
              <Link to="/jobs/$jobId" params={{ jobId: job.parent_job_id }}>
                {job.resume_epoch == null ? "repeats an earlier one" : `goes on from epoch ${job.resume_epoch} of an earlier one`}
              </Link>
            </>
          )}
        </p>
      </div>
      <JobActions job={job} />
    </header>
  );
}

function Now({ job, now }: { job: Job; now: number }) {
  const ended = ENDED.includes(job.state);
  const figures = WAITING.includes(job.state) ? queueFigures(job, now) : figuresOf(job, now);
  return (
    <section className="panel job-now" aria-label="Progress">
      <Headline job={job} />
      <div className="stack-s">
        <Bar value={job.progress} label="Progress" tone={jobTone(job)} />
        <p className="small dim" role="status">
          {(job.error ? "" : job.state_reason) || (job.cancel_requested && !ended ? "The trainer saves a checkpoint and stops." : STATE_WORDS[job.state])}
        </p>
      </div>
      {figures.length > 0 && (
        <dl className="job-figures">
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

/** How good the model became; until that is known, how far the training is. */
function Headline({ job }: { job: Job }) {
  const done = job.state === "completed" ? job.best : null;
  return (
    <div className="job-headline">
      {done ? metric(done.name, done.value) : Math.floor(job.progress)}
      <small>{done ? metricTitle(done.name) : "%"}</small>
    </div>
  );
}

type Figure = [name: string, value: string];

function figuresOf(job: Job, now: number): Figure[] {
  const ended = ENDED.includes(job.state);
  if (!job.started_at) return [];
  const figures: Figure[] = [
    ["Epoch", job.total_epochs ? `${job.epoch} of ${job.total_epochs}` : String(job.epoch)],
    [ended ? "Took" : "Running for", elapsed(job.started_at, job.ended_at, now)],
  ];
  if (!ended && !job.cancel_requested) figures.push(["Left", job.eta_seconds === null ? "–" : duration(job.eta_seconds)]);
  if (job.best) figures.push([`Best ${metricTitle(job.best.name)}`, `${metric(job.best.name, job.best.value)} at epoch ${job.best.epoch}`]);
  return figures;
}

function queueFigures(job: Job, now: number): Figure[] {
  const figures: Figure[] = [];
  if (job.queue_position !== null) figures.push(["Place in the queue", String(job.queue_position)]);
  if (job.expected_start_at !== null) {
    const seconds = (Date.parse(job.expected_start_at) - now) / 1000;
    figures.push(["Expected start", seconds < 1 ? "any moment" : `in about ${duration(seconds)}`]);
  }
  return figures;
}

const STATE_WORDS: Record<Job["state"], string> = {
  pending: "About to be checked.",
  validating: "The data set is being checked.",
  queued: "Waiting for a free slot.",
  starting: "The trainer is starting: it loads the framework and the data.",
  running: "Training.",
  finalizing: "Finishing: the last files are being checked.",
  completed: "The model is ready to be downloaded.",
  failed: "It ended early.",
  cancelled: "It was stopped.",
};
