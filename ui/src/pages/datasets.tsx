import "./datasets.css";
import "../styles/fields.css";
import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { api, unwrap, type Schemas } from "../api/client";
import { DropUpload } from "../components/DropUpload";
import { NameSearch } from "../components/NameSearch";
import { ProjectChooser } from "../components/ProjectChooser";
import { Bar, DatasetBadge, Empty, Failure, Skeleton } from "../components/states";
import { ago, bytes } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { editable, useProjectName, useProjects } from "../lib/projects";
import { useWords } from "../words";

const PAGE = 100;
/** From so many on there is a field to search them. */
const SEARCHED = 13;

export const isBusy = (dataset: Schemas["Dataset"]): boolean => dataset.status === "uploading" || dataset.status === "processing";

export function DatasetsPage() {
  const words = useWords();
  const t = words.datasets;
  useTitle(t.title);
  const { project, q } = useSearch({ from: "/inside/datasets" });
  const navigate = useNavigate({ from: "/datasets" });
  const projects = useProjects();
  const put = (change: { project?: string | undefined; q?: string | undefined }): void => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const list = useInfiniteQuery({
    queryKey: ["get", "/api/v1/datasets", "pages", project, q],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/datasets", { signal, params: { query: { limit: PAGE, ...(project && { project_id: project }), ...(q && { q }), ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.items.some(isBusy)) ? 1_000 : 4_000),
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="stack-l">
      <div className="row between wrap">
        <h1>{t.title}</h1>
        <div className="row wrap">
          {(q !== undefined || items.length >= SEARCHED) && <NameSearch value={q ?? ""} onChange={(text) => put({ q: text || undefined })} />}
          <ProjectChooser label={words.jobs.anyProject} all={words.jobs.anyProject} projects={projects ?? []} value={project ?? ""} onChange={(id) => put({ project: id || undefined })} />
        </div>
      </div>
      {projects && editable(projects).length === 0 ? <p className="dim">{words.upload.onlyLook}</p> : <DropUpload key={project} projects={editable(projects)} into={project} />}
      {list.isPending && <Skeleton height={172} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data && items.length === 0 && (
        <Empty title={q ? t.noneNamed({ name: q }) : t.none}>
          <p>{q ? t.noneNamedHelp : t.noneHelp}</p>
        </Empty>
      )}
      <ul className="cards">
        {items.map((dataset) => (
          <li key={dataset.id}>
            <Card dataset={dataset} />
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {words.people.more}
        </Button>
      )}
    </div>
  );
}

function Card({ dataset }: { dataset: Schemas["Dataset"] }) {
  const t = useWords();
  const { version, operation } = dataset;
  const project = useProjectName(dataset.project_id);
  return (
    <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} className="panel dataset-card">
      <div className="row between">
        <h2 className="clip">{dataset.name}</h2>
        <DatasetBadge status={dataset.status} />
      </div>
      <p className="small dim">
        {version ? `${t.count.images({ n: version.image_count })} · ${t.count.classes({ n: version.classes.length })} · ` : ""}
        {ago(dataset.created_at)}
        {project !== null && ` · ${project}`}
      </p>
      {dataset.error && <p className="small">{dataset.error.message}</p>}
      {isBusy(dataset) && operation && (
        <div className="stack-s">
          <Bar value={operation.progress} label={t.datasets.importOf({ name: dataset.name })} />
          <p className="small dim">{operation.message || t.waitingForItsTurn}</p>
        </div>
      )}
      {dataset.upload && (
        <div className="stack-s">
          <Bar value={(100 * dataset.upload.received) / dataset.upload.size} label={t.upload.progress({ name: dataset.name })} />
          <p className="small dim">
            {t.upload.sent({ sent: bytes(dataset.upload.received), size: bytes(dataset.upload.size) })}
          </p>
        </div>
      )}
      {version && <Spectrum classes={version.classes} />}
    </Link>
  );
}

const BARS = 60;
/** Of a bar and the gap after it, where there are few classes, in a drawing that is 1,000 wide and 100 high. */
const WIDEST = 72;

/** The classes' sizes at a glance: one path, since there may be hundreds of data sets. */
function Spectrum({ classes }: { classes: Schemas["ClassCount"][] }) {
  const most = Math.max(1, ...classes.map((c) => c.total));
  const shown = classes.slice(0, BARS);
  const step = Math.min(WIDEST, 1000 / Math.max(1, shown.length));
  const bars = shown.map((c, i) => `M${i * step} 100v${-Math.max(6, (100 * c.total) / most)}h${step * 0.86}V100`);
  return (
    <svg className="spectrum" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
      <path d={bars.join("")} />
    </svg>
  );
}
