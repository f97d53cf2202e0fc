import "./job.css";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { ENDED, type Schemas } from "../api/client";
import { JobActions } from "../components/JobActions";
import { JobOverview } from "../components/JobOverview";
import { JobResults } from "../components/JobResults";
import { JobSettings } from "../components/JobSettings";
import { LogView } from "../components/LogView";
import { Bar, Callout, Failure, JobBadge, jobTone, Skeleton } from "../components/states";
import { duration, elapsed, metric, metricTitle, percent } from "../lib/format";
import { faviconOf, useFavicon } from "../lib/favicon";
import { useArrowKeys, useNow, useTitle } from "../lib/hooks";
import { EXACTLY } from "../lib/search";
import { WAITING } from "../live/job";
import { useLiveJob } from "../live/use-job";
import { useWords, words } from "../words";

type Job = Schemas["Job"];
const FROM = "/inside/jobs/$jobId";
const VIEWS = [
  { word: "overview", view: undefined },
  { word: "results", view: "results" },
  { word: "log", view: "log" },
  { word: "settings", view: "settings" },
] as const;

export function JobPage() {
  const { jobId } = useParams({ from: FROM });
  return <LiveJob key={jobId} id={jobId} />;
}

function LiveJob({ id }: { id: string }) {
  const t = useWords();
  const { job, lost } = useLiveJob(id);
  const search = useSearch({ from: FROM });
  const { view } = search;
  const running = job.data !== undefined && !ENDED.includes(job.data.state);
  const now = useNow(running);
  useTitle(job.data ? `${running ? percent(Math.floor(job.data.progress)) : t.jobStates[job.data.state]} ${job.data.name}` : t.job.title);
  useFavicon(job.data ? faviconOf(job.data.state, job.data.progress) : null, { page: true });
  const tabs = useArrowKeys();
  if (job.data === undefined) {
    if (job.isError) return <Failure error={job.error} retry={() => void job.refetch()} />;
    return <Skeleton height="70vh" label={t.job.loading} />;
  }
  return (
    <>
      <Head job={job.data} />
      <div className="stack-l">
        {job.data.error && (
          <Callout
            tone="bad"
            title={job.data.error.message}
            action={
              view !== "log" && (
                <Link className="chip" to="/jobs/$jobId" params={{ jobId: id }} search={{ view: "log" }}>
                  {t.job.readLog}
                </Link>
              )
            }
          >
            {job.data.error.hint && <p>{job.data.error.hint}</p>}
            {job.data.attempt > 0 && <p className="dim small">{t.job.failedHelp({ n: job.data.attempt })}</p>}
          </Callout>
        )}
        {job.data.dataset_deleted && (
          <Callout title={t.job.datasetDeleted}>
            <p>{t.job.datasetDeletedHelp}</p>
          </Callout>
        )}
        {lost && <Callout tone="lamp" title={t.job.lost} />}
        <Now job={job.data} now={now} />
        <nav ref={tabs} className="views" aria-label={t.views}>
          {VIEWS.map((entry) => (
            <Link key={entry.word} to="/jobs/$jobId" params={{ jobId: id }} search={{ ...search, view: entry.view }} activeOptions={EXACTLY} resetScroll={false}>
              {t.job[entry.word]}
            </Link>
          ))}
        </nav>
        {view === undefined && <JobOverview job={job.data} now={now} />}
        {view === "results" && <JobResults job={job.data} />}
        {view === "log" && <LogView job={job.data} ended={!running} />}
        {view === "settings" && <JobSettings job={job.data} now={now} />}
      </div>
    </>
  );
}

function Head({ job }: { job: Job }) {
  const t = useWords().job;
  const dataset = job.dataset_deleted ? (
    t.deleted({ name: job.dataset_name })
  ) : (
    <Link to="/datasets/$datasetId" params={{ datasetId: job.dataset_id }}>
      {job.dataset_name}
    </Link>
  );
  return (
    <header className="page-head">
      <div className="stack-s">
        <div className="row wrap">
          <h1>{job.name}</h1>
          <JobBadge job={job} />
        </div>
        <p className="dim small">
          {t.trains({ model: job.model_name, framework: job.framework, dataset })}
          {" · "}
          {job.created_by.name}
          {job.parent_job_id && (
            <>
              {" · "}
              <Link to="/jobs/$jobId" params={{ jobId: job.parent_job_id }}>
                {job.resume_epoch == null ? t.repeats : t.goesOn({ n: job.resume_epoch })}
              </Link>
              {" · "}
              <Link to="/compare" search={{ jobs: `${job.parent_job_id},${job.id}` }}>
                {t.compareWithIt}
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
  const t = useWords();
  const ended = ENDED.includes(job.state);
  const figures = WAITING.includes(job.state) ? queueFigures(job, now) : figuresOf(job, now);
  return (
    <section className="panel job-now" aria-label={t.job.progress}>
      <Headline job={job} />
      <div className="stack-s">
        <Bar value={job.progress} label={t.job.progress} tone={jobTone(job)} />
        <p className="small dim" role="status">
          {(job.error ? "" : job.state_reason) || (job.cancel_requested && !ended ? t.job.stopping : t.jobSays[job.state])}
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
  const t = words().job;
  const ended = ENDED.includes(job.state);
  if (!job.started_at) return [];
  const figures: Figure[] = [
    [t.epoch, job.total_epochs ? t.of({ n: job.epoch, total: job.total_epochs }) : String(job.epoch)],
    [ended ? t.took : t.runningFor, elapsed(job.started_at, job.ended_at, now)],
  ];
  if (!ended && !job.cancel_requested) figures.push([t.left, job.eta_seconds === null ? "–" : duration(job.eta_seconds)]);
  if (job.best) figures.push([t.best({ metric: metricTitle(job.best.name) }), t.atEpoch({ value: metric(job.best.name, job.best.value), n: job.best.epoch })]);
  return figures;
}

function queueFigures(job: Job, now: number): Figure[] {
  const t = words().job;
  const figures: Figure[] = [];
  if (job.queue_position !== null) figures.push([t.place, String(job.queue_position)]);
  if (job.expected_start_at !== null) {
    const seconds = (Date.parse(job.expected_start_at) - now) / 1000;
    figures.push([t.expectedStart, seconds < 1 ? t.anyMoment : t.inAbout({ time: duration(seconds) })]);
  }
  return figures;
}
