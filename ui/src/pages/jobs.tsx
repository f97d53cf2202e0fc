import "./jobs.css";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { api, ENDED, queryClient, unwrap, type Schemas } from "../api/client";
import { BulkBar } from "../components/BulkBar";
import { JobFilters } from "../components/JobFilters";
import { JobList } from "../components/JobList";
import { Callout, Empty, Failure, Skeleton } from "../components/states";
import { percent } from "../lib/format";
import { useNow, useTitle } from "../lib/hooks";
import { EXACTLY, JOB_FILTERS, type JobFilter, type JobSearch } from "../lib/search";
import { NOTHING, type Selection } from "../lib/selection";
import { progressOf, refreshed, useRunning } from "../live/active";
import { AT_WORK, WAITING } from "../live/job";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";

type Job = Schemas["Job"];

/** What a filter's name stands for. */
const FILTERS = {
  running: AT_WORK,
  waiting: WAITING,
  completed: ["completed"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} satisfies Record<JobFilter, Job["state"][]>;
const PAGE = 100;
const HOURS = { day: 24, week: 7 * 24, month: 30 * 24 } as const;
const KEY = ["get", "/api/v1/training/jobs", "pages"];
/** What runs is asked for by itself; the pages, of which there may be many, are asked for again less often. */
const RUNNING_MS = 2_000;
const PAGES_MS = 5_000;
const MANY_PAGES_MS = 30_000;

export function JobsPage() {
  const t = useWords();
  const search = useSearch({ from: "/inside/jobs" });
  const { with: wanted, ...narrowed } = search;
  const running = useRunning(RUNNING_MS).data?.items;
  useTitle(running?.length ? `${t.shell.runningTitle({ n: running.length, percent: percent(Math.floor(progressOf(running))) })} · ${t.jobs.title}` : t.jobs.title);
  const [selection, setSelection] = useState<Selection>(() => (wanted ? { chosen: new Set([wanted]), anchor: null } : NOTHING));
  const jobs = useInfiniteQuery({
    queryKey: [...KEY, narrowed],
    queryFn: ({ pageParam }) => page(narrowed, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 2 ? MANY_PAGES_MS : PAGES_MS),
  });
  useRefetchWhenOneBeginsOrEnds(running);
  const items = useMemo(() => refreshed(unique(jobs.data?.pages.flatMap((p) => p.items) ?? []), running ?? []), [jobs.data, running]);
  const now = useNow(items.some((job) => !ENDED.includes(job.state)));
  const filtered = Object.entries(narrowed).some(([name, value]) => value !== undefined && name !== "sort");
  return (
    <div className="stack-l">
      <div className="stack">
        <h1>{t.jobs.title}</h1>
        {wanted && <Wanted id={wanted} />}
        <nav className="chips" aria-label={t.jobs.filter}>
          {[undefined, ...JOB_FILTERS].map((filter) => (
            <Link key={filter ?? "all"} to="/jobs" search={{ ...search, state: filter }} className="chip" activeOptions={EXACTLY}>
              {filter === undefined ? t.all : t.jobFilters[filter]}
            </Link>
          ))}
        </nav>
        {(items.length > 0 || filtered) && <JobFilters />}
      </div>
      {jobs.isPending && <Skeleton height={320} label={t.jobs.loading} />}
      {jobs.isError && <Failure error={jobs.error} retry={() => void jobs.refetch()} />}
      {jobs.isSuccess && items.length === 0 && <NoJobs search={narrowed} filtered={filtered} />}
      {items.length > 0 && (
        <JobList
          jobs={items}
          now={now}
          selection={selection}
          onSelect={setSelection}
          more={jobs.hasNextPage && !jobs.isFetchingNextPage && !jobs.isFetchNextPageError ? () => void jobs.fetchNextPage() : undefined}
        />
      )}
      {jobs.isFetchingNextPage && <Skeleton height={64} label={t.jobs.loadingMore} />}
      <BulkBar chosen={selection.chosen} jobs={items} onSelect={setSelection} onDone={() => void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/training/jobs"] })} />
    </div>
  );
}

/** A job that moves between two pages while both are fetched is in both. */
const unique = (jobs: Job[]): Job[] => [...new Map(jobs.map((job) => [job.id, job])).values()];

function useRefetchWhenOneBeginsOrEnds(running: Job[] | undefined): void {
  const now = running?.map((job) => job.id).toSorted().join(" ");
  useEffect(() => {
    if (now !== undefined) void queryClient.invalidateQueries({ queryKey: KEY }, { cancelRefetch: false });
  }, [now]);
}

function page(search: JobSearch, cursor: string | undefined): Promise<Schemas["Page_visionai.api.shapes.Job_"]> {
  const { state, q, framework, model, dataset, who, project, since, sort } = search;
  return unwrap(
    api.GET("/api/v1/training/jobs", {
      params: {
        query: {
          limit: PAGE,
          ...(state && { state: FILTERS[state] }),
          ...(q && { q: q.slice(0, 200) }),
          ...(framework && { framework }),
          ...(model && { model_name: model }),
          ...(dataset && { dataset_id: dataset }),
          ...(who && { created_by: who }),
          ...(project && { project_id: project }),
          ...(since && { created_after: new Date(Date.now() - HOURS[since] * 3_600_000).toISOString() }),
          ...(sort && { sort }),
          ...(cursor && { cursor }),
        },
      },
    }),
  );
}

function Wanted({ id }: { id: string }) {
  const t = useWords();
  const job = useQuery(jobQueries.job(id)).data;
  return job ? <Callout tone="lamp" title={t.jobs.withWhich({ name: job.name })} /> : null;
}

function NoJobs({ search, filtered }: { search: JobSearch; filtered: boolean }) {
  const t = useWords();
  const navigate = useNavigate({ from: "/jobs" });
  const onlyState = search.state !== undefined && Object.entries(search).every(([name, value]) => value === undefined || name === "state" || name === "sort");
  if (onlyState) return <Empty title={t.jobs.noneInState} />;
  if (filtered)
    return (
      <Empty
        title={t.jobs.noneLike}
        action={
          <Button variant="default" onClick={() => void navigate({ search: {} })}>
            {t.jobs.clearFilters}
          </Button>
        }
      >
        <p>{t.jobs.noneLikeHelp}</p>
      </Empty>
    );
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
