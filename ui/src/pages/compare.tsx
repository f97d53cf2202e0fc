import "./compare.css";
import { ActionIcon, Button, NativeSelect } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown, Flag, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { $api, ENDED, type Schemas } from "../api/client";
import { CompareChart, Swatch } from "../components/CompareChart";
import { Badge, Callout, Empty, Failure, JobBadge, Skeleton } from "../components/states";
import { problemOf } from "../api/problem";
import { count, duration, isRatio, metric, metricTitle } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { fieldsOf, said } from "../lib/schema";
import { jobIds, MOST_COMPARED } from "../lib/search";
import { alike, changeOf, differing, metricNames, type Change } from "../live/compare";
import { jobQueries } from "../live/use-job";
import { useWords, words } from "../words";
import { number } from "../words/locale";

type Job = Schemas["Job"];

const FROM = "/inside/compare";
const RUNNING_MS = 4_000;
const MEASURES = ["precision", "recall", "ap"] as const;

/** Up to eight jobs beside each other; everything is held against the first one of the address. */
export function ComparePage() {
  const t = useWords();
  const search = useSearch({ from: FROM });
  const asked = jobIds(search.jobs);
  const ids = asked.slice(0, MOST_COMPARED);
  const answers = useQueries({ queries: ids.map((id) => ({ ...jobQueries.job(id), refetchInterval: (query: { state: { data?: Job | undefined } }) => (query.state.data && !ENDED.includes(query.state.data.state) ? RUNNING_MS : false) as number | false })) });
  const jobs = answers.flatMap((answer) => answer.data ?? []);
  const gone = answers.filter((answer) => answer.isError && problemOf(answer.error).status === 404).length;
  const failed = answers.find((answer) => answer.isError && problemOf(answer.error).status !== 404);
  useTitle(jobs.length > 0 ? t.compare.heading({ n: jobs.length }) : t.compare.title);
  return (
    <div className="stack-l">
      <header className="page-head compare-head">
        <h1>{jobs.length > 1 ? t.compare.heading({ n: jobs.length }) : t.compare.title}</h1>
        {ids.length > 0 && (
          <Button component={Link} to="/jobs" variant="default">
            {t.compare.change}
          </Button>
        )}
      </header>
      {asked.length > MOST_COMPARED && <Callout tone="lamp" title={t.compare.tooMany({ most: MOST_COMPARED, n: asked.length })} />}
      {gone > 0 && <Callout tone="lamp" title={t.compare.gone({ n: gone })} />}
      {failed && <Failure error={failed.error} retry={() => void Promise.all(answers.map((answer) => answer.refetch()))} />}
      {ids.length === 0 || (gone > 0 && gone === ids.length) ? (
        <Empty
          title={t.compare.nothing}
          action={
            <Button component={Link} to="/jobs">
              {t.compare.chooseJobs}
            </Button>
          }
        >
          <p>{t.compare.nothingHelp}</p>
        </Empty>
      ) : answers.some((answer) => answer.isPending) ? (
        <Skeleton height="70vh" label={t.compare.loading} />
      ) : (
        jobs.length > 0 && <Comparison jobs={jobs} />
      )}
    </div>
  );
}

function Comparison({ jobs }: { jobs: Job[] }) {
  const t = useWords().compare;
  return (
    <>
      {jobs.length === 1 && <Callout tone="lamp" title={t.onlyOne} />}
      <Compared jobs={jobs} />
      <Curves jobs={jobs} />
      <Results jobs={jobs} />
      <Settings jobs={jobs} />
      <Classes jobs={jobs} />
    </>
  );
}

/** Which jobs they are: the baseline can be changed, and any of them taken out. */
function Compared({ jobs }: { jobs: Job[] }) {
  const t = useWords().compare;
  const navigate = useNavigate({ from: "/compare" });
  const put = (ids: string[]): void => void navigate({ search: (old) => ({ ...old, jobs: ids.join(",") }), resetScroll: false });
  const ids = jobs.map((job) => job.id);
  return (
    <ul className="compared" aria-label={t.jobs}>
      {jobs.map((job, i) => (
        <li key={job.id} data-base={i === 0}>
          <Swatch at={i} />
          <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="clip" title={job.name}>
            {job.name}
          </Link>
          {i === 0 ? (
            <Badge tone="off">{t.baseline}</Badge>
          ) : (
            <ActionIcon variant="subtle" aria-label={t.makeBaseline({ name: job.name })} title={t.makeIt} onClick={() => put([job.id, ...ids.filter((id) => id !== job.id)])}>
              <Flag size={16} />
            </ActionIcon>
          )}
          <ActionIcon variant="subtle" aria-label={t.remove({ name: job.name })} title={t.remove({ name: job.name })} onClick={() => put(ids.filter((id) => id !== job.id))}>
            <X size={16} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}

function Curves({ jobs }: { jobs: Job[] }) {
  const t = useWords().compare;
  const { metric: wanted } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/compare" });
  const answers = useQueries({ queries: jobs.map((job) => ({ ...jobQueries.metrics(job.id), refetchInterval: ENDED.includes(job.state) ? (false as const) : RUNNING_MS })) });
  const known = answers.map((answer) => answer.data?.items ?? []);
  const names = metricNames(jobs, known);
  const name = wanted !== undefined && names.includes(wanted) ? wanted : names[0];
  const stamp = answers.map((answer) => answer.dataUpdatedAt).join(" ");
  const who = jobs.map((job) => job.id).join(" ");
  // oxlint-disable-next-line react/exhaustive-deps -- the stamps say when an answer is another one
  const lines = useMemo(() => jobs.map((job, i) => ({ id: job.id, name: job.name, rows: known[i]! })), [stamp, who]);
  const failed = answers.find((answer) => answer.isError);
  return (
    <section className="panel" aria-label={t.curves}>
      <div className="panel-title">
        <h2>{t.curves}</h2>
        {name !== undefined && (
          <NativeSelect
            className="compare-pick"
            rightSection={<ChevronDown size={15} aria-hidden />}
            aria-label={t.metric}
            value={name}
            data={names.map((value) => ({ value, label: metricTitle(value) }))}
            onChange={(e) => {
              const value = e.currentTarget.value;
              void navigate({ search: (old) => ({ ...old, metric: value }), replace: true, resetScroll: false });
            }}
          />
        )}
      </div>
      {failed ? (
        <Failure error={failed.error} retry={() => void Promise.all(answers.map((answer) => answer.refetch()))} />
      ) : answers.some((answer) => answer.isPending) ? (
        <Skeleton height={348} />
      ) : name === undefined ? (
        <p className="dim small">{t.noCurves}</p>
      ) : (
        <CompareChart lines={lines} name={name} label={t.chart({ metric: metricTitle(name), n: jobs.length })} />
      )}
    </section>
  );
}

/** One row for each thing that is compared, one column for each job. */
function Table({ label, first, jobs, children }: { label: string; first: string; jobs: Job[]; children: ReactNode }) {
  const t = useWords().compare;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="table compare-table">
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {jobs.map((job, i) => (
              <th key={job.id} scope="col" data-base={i === 0}>
                <span>
                  <Swatch at={i} />
                </span>
                <span className="compare-name" title={job.name}>
                  {job.name}
                </span>
                {i === 0 && <span className="dim">{t.baseline}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

type Cell = { shown: ReactNode; differs?: boolean; change?: Change | null; name?: string };

function Row({ title, cells }: { title: string; cells: Cell[] }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      {cells.map((cell, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- a column is its place
        <td key={i} data-base={i === 0} data-differs={cell.differs}>
          {cell.shown}
          {i > 0 && cell.change && cell.change.better !== null && <Changed change={cell.change} name={cell.name ?? ""} />}
        </td>
      ))}
    </tr>
  );
}

function Changed({ change, name }: { change: Change; name: string }) {
  const t = useWords().compare;
  const amount = isRatio(name) ? t.points({ n: number(Math.abs(change.by) * 100, { minimumFractionDigits: 2, maximumFractionDigits: 2 }) }) : metric(name, Math.abs(change.by));
  return (
    <span className="change" data-better={change.better}>
      <span aria-hidden="true">
        {change.better ? "▲" : "▼"} {change.by > 0 ? "+" : "−"}
        {amount}
      </span>
      <span className="visually-hidden">{change.better ? t.better({ by: amount }) : t.worse({ by: amount })}</span>
    </span>
  );
}

function Results({ jobs }: { jobs: Job[] }) {
  const t = useWords();
  const datasets = [...new Set(jobs.filter((job) => !job.dataset_deleted).map((job) => job.dataset_id))];
  const answers = useQueries({
    queries: datasets.map((id) => $api.queryOptions("get", "/api/v1/datasets/{dataset_id}/versions", { params: { path: { dataset_id: id } } }, { staleTime: 60_000 })),
  });
  const versions = new Map(answers.flatMap((answer) => answer.data?.items ?? []).map((version) => [version.id, version]));
  const base = jobs[0]!.best;
  return (
    <section className="panel">
      <div className="panel-title">
        <h2>{t.compare.results}</h2>
      </div>
      <Table label={t.compare.results} first={t.compare.result} jobs={jobs}>
        <Row title={t.compare.state} cells={jobs.map((job) => ({ shown: <JobBadge job={job} /> }))} />
        <Row title={t.compare.best} cells={jobs.map((job) => bestOf(job, base))} />
        <Row title={t.compare.duration} cells={jobs.map((job) => ({ shown: duration(job.run_seconds) }))} />
        <Row title={t.compare.epochs} cells={jobs.map((job) => ({ shown: job.total_epochs ? t.job.of({ n: job.epoch, total: job.total_epochs }) : count(job.epoch) }))} />
        <Row title={t.compare.images} cells={jobs.map((job) => ({ shown: imagesOf(versions.get(job.dataset_version_id)) }))} />
      </Table>
    </section>
  );
}

const imagesOf = (version: Schemas["DatasetVersion"] | undefined): string => (version ? count(version.image_count) : words().compare.notSet);

function bestOf(job: Job, base: Job["best"]): Cell {
  const { best } = job;
  if (!best) return { shown: words().compare.notSet };
  return {
    shown: (
      <>
        <strong>{metric(best.name, best.value)}</strong> <span className="dim">{metricTitle(best.name)}</span>
        <span className="change">{words().files.epoch({ n: best.epoch })}</span>
      </>
    ),
    change: base?.name === best.name ? changeOf(best.value, base.value, best.mode) : null,
    name: best.name,
  };
}

function Settings({ jobs }: { jobs: Job[] }) {
  const t = useWords();
  const frameworks = $api.useQuery("get", "/api/v1/models", {}, { staleTime: 60_000 }).data?.items;
  const settings = differing(jobs, (name) => fieldsOf(frameworks?.find((f) => f.framework === name)?.schema ?? {}, t));
  const facts: [string, (job: Job) => string][] = [
    [t.dataset, (job) => job.dataset_name],
    [t.settings.version, (job) => job.dataset_version_id],
    [t.task, (job) => t.tasks[job.task_type]],
    [t.framework, (job) => job.framework],
    [t.model, (job) => job.model_name],
    [t.settings.priority, (job) => t.priorities[job.priority]],
  ];
  const different = facts.filter(([, of]) => jobs.some((job) => of(job) !== of(jobs[0]!)));
  return (
    <section className="panel">
      <div className="panel-title">
        <h2>{t.compare.settings}</h2>
      </div>
      {different.length + settings.length === 0 ? (
        <p className="dim small">{t.compare.noSettings}</p>
      ) : (
        <Table label={t.compare.settings} first={t.compare.setting} jobs={jobs}>
          {different.map(([title, of]) => (
            <Row key={title} title={title} cells={jobs.map((job) => ({ shown: <span className="break">{of(job)}</span>, differs: of(job) !== of(jobs[0]!) }))} />
          ))}
          {settings.map(({ name, title, values }) => (
            <Row
              key={name}
              title={title}
              cells={values.map((given) => ({
                shown: given ? (
                  <>
                    <span className="break">{said(given.value)}</span>
                    {given.byDefault && <span className="change">{t.compare.byDefault}</span>}
                  </>
                ) : (
                  t.compare.notSet
                ),
                differs: !alike(given, values[0]!),
              }))}
            />
          ))}
        </Table>
      )}
    </section>
  );
}

function Classes({ jobs }: { jobs: Job[] }) {
  const t = useWords().compare;
  const { by = "precision" } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/compare" });
  const answers = useQueries({ queries: jobs.map((job) => ({ ...jobQueries.validation(job.id), enabled: job.best !== null, refetchInterval: ENDED.includes(job.state) ? (false as const) : RUNNING_MS })) });
  const known = answers.map((answer) => new Map(answer.data?.per_class.map((c) => [c.class, c])));
  const classes = [...new Set(known.flatMap((of) => [...of.keys()]))];
  const measures = MEASURES.filter((measure) => measure === by || known.some((of) => [...of.values()].some((c) => c[measure] != null)));
  return (
    <section className="panel">
      <div className="panel-title">
        <h2>{t.classes}</h2>
        {classes.length > 0 && (
          <NativeSelect
            className="compare-pick"
            rightSection={<ChevronDown size={15} aria-hidden />}
            aria-label={t.measure}
            value={by}
            data={measures.map((value) => ({ value, label: t.measures[value] }))}
            onChange={(e) => {
              const value = e.currentTarget.value;
              void navigate({ search: (old) => ({ ...old, by: value === "recall" || value === "ap" ? value : undefined }), replace: true, resetScroll: false });
            }}
          />
        )}
      </div>
      {answers.some((answer) => answer.isLoading) ? (
        <Skeleton height={160} />
      ) : classes.length === 0 ? (
        <p className="dim small">{t.noClasses}</p>
      ) : (
        <Table label={t.classes} first={t.class} jobs={jobs}>
          {classes.map((name) => (
            <Row
              key={name}
              title={name}
              cells={known.map((of) => {
                const value = of.get(name)?.[by];
                return { shown: metric("precision", value), change: changeOf(value, known[0]!.get(name)?.[by]), name: "precision" };
              })}
            />
          ))}
        </Table>
      )}
    </section>
  );
}
