import "./datasets.css";
import "../styles/fields.css";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { $api, type Schemas } from "../api/client";
import { DropUpload } from "../components/DropUpload";
import { ProjectChooser } from "../components/ProjectChooser";
import { Bar, DatasetBadge, Empty, Failure, Skeleton } from "../components/states";
import { ago, bytes } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { editable, useProjectName, useProjects } from "../lib/projects";
import { useWords } from "../words";

export const isBusy = (dataset: Schemas["Dataset"]): boolean => dataset.status === "uploading" || dataset.status === "processing";

export function DatasetsPage() {
  const words = useWords();
  const t = words.datasets;
  useTitle(t.title);
  const { project } = useSearch({ from: "/inside/datasets" });
  const navigate = useNavigate({ from: "/datasets" });
  const projects = useProjects();
  const list = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: 200, ...(project && { project_id: project }) } } }, {
    refetchInterval: (query) => (query.state.data?.items.some(isBusy) ? 1_000 : 4_000),
  });
  return (
    <div className="stack-l">
      <div className="row between wrap">
        <h1>{t.title}</h1>
        <ProjectChooser label={words.jobs.anyProject} all={words.jobs.anyProject} projects={projects ?? []} value={project ?? ""} onChange={(id) => void navigate({ search: id ? { project: id } : {}, replace: true })} />
      </div>
      {projects && editable(projects).length === 0 ? <p className="dim">{words.upload.onlyLook}</p> : <DropUpload key={project} projects={editable(projects)} into={project} />}
      {list.isPending && <Skeleton height={172} />}
      {list.isError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && (
        <Empty title={t.none}>
          <p>{t.noneHelp}</p>
        </Empty>
      )}
      <ul className="cards">
        {list.data?.items.map((dataset) => (
          <li key={dataset.id}>
            <Card dataset={dataset} />
          </li>
        ))}
      </ul>
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
