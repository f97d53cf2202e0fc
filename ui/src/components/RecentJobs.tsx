import { Link } from "@tanstack/react-router";
import { $api, type Schemas } from "../api/client";
import { useNow } from "../lib/hooks";
import { useRunning } from "../live/active";
import { byTurn, WAITING } from "../live/job";
import { useWords } from "../words";
import { JobRow } from "./JobRow";
import { Failure, Skeleton } from "./states";

type Job = Schemas["Job"];

const SHOWN = 5;
const SHOWN_ENDED = 3;
/** The API lists the newest first, and those are the last of a queue: so all that wait are asked for. */
const MOST = 200;

/** What runs and what comes next; where nothing does, what was trained last. */
export function RecentJobs() {
  const t = useWords();
  const running = useRunning(1_500);
  const waiting = useJobs({ state: WAITING, limit: MOST }, 3_000);
  const latest = useJobs({ limit: SHOWN_ENDED }, 8_000);
  const all = [running, waiting, latest];
  const failed = all.find((jobs) => jobs.isError);
  const active = [running, waiting].flatMap((jobs) => jobs.data?.items ?? []).toSorted(byTurn);
  const now = useNow(active.length > 0);
  return (
    <section className="panel" aria-label={t.jobs.title}>
      <div className="panel-title">
        <h2>{running.data?.items.length ? t.recent.running : active.length > 0 ? t.recent.waiting : t.recent.latest}</h2>
        {active.length === 0 && (latest.data?.items.length ?? 0) > 1 && (
          <Link to="/compare" search={{ jobs: latest.data!.items.map((job) => job.id).join(",") }} className="small">
            {t.needs.compareLatest}
          </Link>
        )}
        {active.length > 1 && (
          <Link to="/compare" search={{ jobs: active.slice(0, SHOWN).map((job) => job.id).join(",") }} className="small">
            {t.compare.allCompared}
          </Link>
        )}
        <Link to="/jobs" className="small">
          {active.length > SHOWN ? t.recent.allAndMore({ n: active.length - SHOWN }) : t.recent.all}
        </Link>
      </div>
      {failed ? (
        <Failure error={failed.error} retry={() => void Promise.all(all.map((jobs) => jobs.refetch()))} />
      ) : all.every((jobs) => jobs.isSuccess) ? (
        <List jobs={active.length > 0 ? active.slice(0, SHOWN) : latest.data!.items} now={now} />
      ) : (
        <Skeleton height={64} />
      )}
    </section>
  );
}

const useJobs = (query: { state?: Job["state"][]; limit: number }, refetchInterval: number) =>
  $api.useQuery("get", "/api/v1/training/jobs", { params: { query } }, { refetchInterval });

function List({ jobs, now }: { jobs: Job[]; now: number }) {
  const t = useWords().recent;
  if (jobs.length === 0) return <p className="dim small">{t.none}</p>;
  return (
    <ul className="job-list">
      {jobs.map((job) => (
        <li key={job.id}>
          <JobRow job={job} now={now} />
        </li>
      ))}
    </ul>
  );
}
