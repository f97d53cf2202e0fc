import "./dataset.css";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { $api, type Schemas } from "../api/client";
import { DatasetActions } from "../components/DatasetActions";
import { ClassChart, SplitKey } from "../components/ClassChart";
import { GridSkeleton, ImageGrid } from "../components/ImageGrid";
import { Badge, Bar, Callout, DatasetBadge, Empty, Failure, Skeleton } from "../components/states";
import { bytes, count, dateTime, plural } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { EXACTLY } from "../lib/search";
import { isBusy } from "./datasets";

type Dataset = Schemas["Dataset"];
const FROM = "/inside/datasets/$datasetId";

export function DatasetPage() {
  const { datasetId } = useParams({ from: FROM });
  const dataset = $api.useQuery("get", "/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: datasetId } } }, {
    refetchInterval: (query) => (query.state.data && isBusy(query.state.data) ? 700 : 30_000),
  });
  const progress = dataset.data && isBusy(dataset.data) ? `${Math.round(dataset.data.operation?.progress ?? 0)} % ` : "";
  useTitle(dataset.data ? `${progress}${dataset.data.name}` : "Data set");
  if (dataset.isError) return <Failure error={dataset.error} retry={() => void dataset.refetch()} />;
  if (!dataset.data) return <Skeleton height="60vh" label="Loading the data set" />;
  return (
    <>
      <Head dataset={dataset.data} />
      <div className="stack-l">
        {dataset.data.error && (
          <Callout tone="bad" title={`“${dataset.data.name}” could not be imported`}>
            <p>{dataset.data.error.message}</p>
            <p>{dataset.data.error.hint}</p>
          </Callout>
        )}
        {isBusy(dataset.data) && <Processing operation={dataset.data.operation} />}
        {dataset.data.version && <Views dataset={dataset.data} version={dataset.data.version} />}
        {!dataset.data.version && dataset.data.status === "error" && <Faults datasetId={dataset.data.id} onlyIfAny />}
      </div>
    </>
  );
}

function Head({ dataset }: { dataset: Dataset }) {
  const version = dataset.version;
  return (
    <header className="page-head">
      <div className="stack-s">
        <div className="row wrap">
          <h1>{dataset.name}</h1>
          <DatasetBadge status={dataset.status} />
        </div>
        {version && (
          <p className="dim small">
            {plural(version.image_count, "image")} · {plural(version.classes.length, "class", "classes")} · {bytes(version.size_bytes)} · version {version.number}
          </p>
        )}
      </div>
      <DatasetActions dataset={dataset} />
    </header>
  );
}

function Processing({ operation }: { operation: Schemas["Operation"] | null | undefined }) {
  return (
    <section className="panel stack-s" aria-label="Import">
      <div className="row between">
        <h2>Checking every image</h2>
        <span className="num">{Math.round(operation?.progress ?? 0)} %</span>
      </div>
      <Bar value={operation?.progress ?? 0} label="Import" />
      <p className="dim small">{operation?.message || "Waiting for its turn"}</p>
    </section>
  );
}

function Views({ dataset, version }: { dataset: Dataset; version: Schemas["DatasetVersion"] }) {
  const { view } = useSearch({ from: FROM });
  const params = { datasetId: dataset.id };
  const entries = [
    { label: "Images", view: undefined },
    { label: version.fault_count ? `Faults (${count(version.fault_count)})` : "Faults", view: "faults" },
    { label: "Versions", view: "versions" },
  ] as const;
  return (
    <>
      <nav className="views" aria-label="Views">
        {entries.map((entry) => (
          <Link key={entry.label} to="/datasets/$datasetId" params={params} search={{ view: entry.view }} activeOptions={EXACTLY}>
            {entry.label}
          </Link>
        ))}
      </nav>
      {view === undefined && <Images dataset={dataset} version={version} />}
      {view === "faults" && <Faults datasetId={dataset.id} />}
      {view === "versions" && <Versions datasetId={dataset.id} />}
    </>
  );
}

function Images({ dataset, version }: { dataset: Dataset; version: Schemas["DatasetVersion"] }) {
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/datasets/$datasetId" });
  const filter = { class: search.class, split: search.split };
  const first = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/images", {
    params: { path: { dataset_id: dataset.id }, query: { offset: 0, limit: 1, ...filter } },
  });
  const put = (change: typeof filter | { split: typeof filter.split } | { class: typeof filter.class }): void =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  return (
    <div className="dataset">
      <section className="panel dataset-classes" aria-label="Classes">
        <div className="panel-title">
          <h2>Classes</h2>
          <SplitKey />
        </div>
        <ClassChart classes={version.classes} chosen={search.class} onChoose={(name) => put({ class: name })} />
      </section>
      <section className="stack" aria-label="Images">
        <div className="dataset-bar">
          <div className="chips" role="group" aria-label="Split">
            {([undefined, "train", "val"] as const).map((split) => (
              <button key={split ?? "all"} type="button" className="chip" aria-pressed={search.split === split} onClick={() => put({ split })}>
                {split === undefined ? "All" : split === "train" ? `Training ${count(version.train_count)}` : `Validation ${count(version.val_count)}`}
              </button>
            ))}
            {search.class !== undefined && (
              <button type="button" className="chip" aria-label={`Show all classes, not only ${search.class}`} onClick={() => put({ class: undefined })}>
                {search.class} ×
              </button>
            )}
          </div>
          <span className="dim small" role="status">
            {first.data ? plural(first.data.total, "image") : " "}
          </span>
        </div>
        {first.isError && <Failure error={first.error} retry={() => void first.refetch()} />}
        {first.isPending && <GridSkeleton />}
        {first.data?.total === 0 && (
          <Empty title="No image passes this filter">
            <p>Choose another class or split.</p>
          </Empty>
        )}
        {first.data && first.data.total > 0 && <ImageGrid key={`${search.class}/${search.split}`} datasetId={dataset.id} filter={filter} total={first.data.total} />}
      </section>
    </div>
  );
}

const SEVERITY = { error: "bad", warning: "live", info: "off" } as const;

function Faults({ datasetId, onlyIfAny = false }: { datasetId: string; onlyIfAny?: boolean }) {
  const report = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/report", { params: { path: { dataset_id: datasetId } } });
  if (report.isError) return <Failure error={report.error} retry={() => void report.refetch()} />;
  if (!report.data) return <Skeleton height={180} />;
  if (report.data.faults.length === 0)
    return onlyIfAny ? null : (
      <Empty title="No fault found">
        <p>Every image could be decoded, and nothing else looks odd.</p>
      </Empty>
    );
  return (
    <ul className="panel">
      {report.data.faults.map((fault) => (
        <li key={`${fault.code} ${fault.message}`} className="fault">
          <div className="row wrap">
            <Badge tone={SEVERITY[fault.severity]}>{fault.severity}</Badge>
            <strong>{fault.message}</strong>
          </div>
          {fault.hint && <p>{fault.hint}</p>}
          {fault.files.length > 0 && (
            <ul className="files">
              {fault.files.map((file) => (
                <li key={file} className="break">
                  {file}
                </li>
              ))}
              {fault.file_count > fault.files.length && <li>and {count(fault.file_count - fault.files.length)} more</li>}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

function Versions({ datasetId }: { datasetId: string }) {
  const versions = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/versions", { params: { path: { dataset_id: datasetId } } });
  if (versions.isError) return <Failure error={versions.error} retry={() => void versions.refetch()} />;
  if (!versions.data) return <Skeleton height={120} />;
  return (
    <div className="panel table-scroll" tabIndex={0} role="region" aria-label="Table of versions">
      <table className="table">
        <thead>
          <tr>
            <th>Version</th>
            <th className="num">Images</th>
            <th className="num">Training</th>
            <th className="num">Validation</th>
            <th className="num">Size</th>
            <th>Created</th>
            <th>Content hash</th>
          </tr>
        </thead>
        <tbody>
          {versions.data.items.map((v) => (
            <tr key={v.id}>
              <td>{v.number}</td>
              <td className="num">{count(v.image_count)}</td>
              <td className="num">{count(v.train_count)}</td>
              <td className="num">{count(v.val_count)}</td>
              <td className="num">{bytes(v.size_bytes)}</td>
              <td className="nowrap">{dateTime(v.created_at)}</td>
              <td>
                <code title={v.content_hash}>{v.content_hash.slice(0, 12)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
