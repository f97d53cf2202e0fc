import "./jobs.css";
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { api, ENDED, unwrap, type Schemas } from "../api/client";
import { JobColumns, JobRow } from "../components/JobRow";
import { Empty, Failure, Skeleton } from "../components/states";
import { useNow, useTitle } from "../lib/hooks";
import { EXACTLY, JOB_FILTERS, type JobFilter } from "../lib/search";
import { AT_WORK, WAITING } from "../live/job";
import { useWords } from "../words";

/** What a filter's name stands for. */
const FILTERS = {
  running: AT_WORK,
  waiting: WAITING,
  completed: ["completed"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} satisfies Record<JobFilter, Schemas["Job"]["state"][]>;
const PAGE = 50;

export function JobsPage() {
  const t = useWords();
  useTitle(t.jobs.title);
  const { state } = useSearch({ from: "/inside/jobs" });
  const jobs = useInfiniteQuery({
    queryKey: ["get", "/api/v1/training/jobs", "pages", state],
    queryFn: ({ pageParam }) => page(state, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((p) => p.items.some((j) => !ENDED.includes(j.state))) ? 2_000 : 10_000),
  });
  const items = jobs.data?.pages.flatMap((p) => p.items) ?? [];
  const now = useNow(items.some((job) => !ENDED.includes(job.state)));
  return (
    <div className="stack-l">
      <h1>{t.jobs.title}</h1>
      <nav className="chips" aria-label={t.jobs.filter}>
        {[undefined, ...JOB_FILTERS].map((filter) => (
          <Link key={filter ?? "all"} to="/jobs" search={{ state: filter }} className="chip" activeOptions={EXACTLY}>
            {filter === undefined ? t.all : t.jobFilters[filter]}
          </Link>
        ))}
      </nav>
      {jobs.isPending && <Skeleton height={320} label={t.jobs.loading} />}
      {jobs.isError && <Failure error={jobs.error} retry={() => void jobs.refetch()} />}
      {jobs.isSuccess && items.length === 0 && <NoJobs filtered={state !== undefined} />}
      {items.length > 0 && (
        <div className="panel job-list">
          <JobColumns />
          <ul>
            {items.map((job) => (
              <li key={job.id}>
                <JobRow job={job} now={now} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {jobs.hasNextPage && (
        <Button variant="default" loading={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
          {t.jobs.older}
        </Button>
      )}
    </div>
  );
}

const page = (state: JobFilter | undefined, cursor: string | undefined) =>
  unwrap(api.GET("/api/v1/training/jobs", { params: { query: { limit: PAGE, ...(state && { state: FILTERS[state] }), ...(cursor && { cursor }) } } }));

function NoJobs({ filtered }: { filtered: boolean }) {
  const t = useWords();
  if (filtered) return <Empty title={t.jobs.noneInState} />;
  return (
    <Empty
      title={t.jobs.none}
      action={
        <Button component={Link} to="/train">
          {t.newTraining}
        </Button>
      }
    >
      <p>{t.jobs.noneHelp}</p>
    </Empty>
  );
}
