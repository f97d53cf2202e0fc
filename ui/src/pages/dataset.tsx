import "./dataset.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { $api, type Schemas } from "../api/client";
import { DatasetActions } from "../components/DatasetActions";
import { ClassChart, SplitKey } from "../components/ClassChart";
import { GridSkeleton, ImageGrid, pageQuery } from "../components/ImageGrid";
import { Badge, Bar, Callout, DatasetBadge, Empty, Failure, SEVERITY, Skeleton } from "../components/states";
import { bytes, count, dateTime, percent } from "../lib/format";
import type { DatasetSearch } from "../lib/dataset-search";
import { useTitle } from "../lib/hooks";
import { coloursOf } from "../lib/marks";
import { EXACTLY } from "../lib/search";
import { changesSince, type VersionChanges } from "../lib/versions";
import { titled, useWords } from "../words";
import { isBusy } from "./datasets";

type Dataset = Schemas["Dataset"];
const FROM = "/inside/datasets/$datasetId";
/** Tasks whose images have more than a label of their own. */
const MARKED: readonly Schemas["DatasetVersion"]["task_types"][number][] = ["detection", "segmentation", "pose", "obb"];

export function DatasetPage() {
  const t = useWords();
  const { datasetId } = useParams({ from: FROM });
  const dataset = $api.useQuery("get", "/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: datasetId } } }, {
    refetchInterval: (query) => (query.state.data && isBusy(query.state.data) ? 700 : 30_000),
  });
  const progress = dataset.data && isBusy(dataset.data) ? `${percent(dataset.data.operation?.progress ?? 0)} ` : "";
  useTitle(dataset.data ? `${progress}${dataset.data.name}` : t.dataset);
  if (dataset.isError) return <Failure error={dataset.error} retry={() => void dataset.refetch()} />;
  if (!dataset.data) return <Skeleton height="60vh" label={t.datasetPage.loading} />;
  return (
    <>
      <Head dataset={dataset.data} />
      <div className="stack-l">
        {dataset.data.error && (
          <Callout tone="bad" title={t.datasetPage.notImported({ name: dataset.data.name })}>
            <p>{dataset.data.error.message}</p>
            <p>{dataset.data.error.hint}</p>
          </Callout>
        )}
        {dataset.data.upload ? <Arriving upload={dataset.data.upload} /> : isBusy(dataset.data) && <Processing operation={dataset.data.operation} />}
        {dataset.data.version && <Views dataset={dataset.data} version={dataset.data.version} />}
        {!dataset.data.version && dataset.data.status === "error" && <Faults datasetId={dataset.data.id} onlyIfAny />}
      </div>
    </>
  );
}

function Head({ dataset }: { dataset: Dataset }) {
  const t = useWords();
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
            {t.count.images({ n: version.image_count })} · {t.count.classes({ n: version.classes.length })} · {bytes(version.size_bytes)} · {t.datasetPage.version({ n: version.number })}
          </p>
        )}
      </div>
      <DatasetActions dataset={dataset} />
    </header>
  );
}

function Arriving({ upload }: { upload: Schemas["DatasetUpload"] }) {
  const t = useWords();
  return (
    <section className="panel stack-s" aria-label={t.upload.upload}>
      <h2>{t.upload.arriving}</h2>
      <Bar value={(100 * upload.received) / upload.size} label={t.upload.upload} />
      <p className="dim small">{t.upload.arrived({ sent: bytes(upload.received), size: bytes(upload.size), until: dateTime(upload.expires_at) })}</p>
    </section>
  );
}

function Processing({ operation }: { operation: Schemas["Operation"] | null | undefined }) {
  const t = useWords();
  return (
    <section className="panel stack-s" aria-label={t.datasetPage.import}>
      <div className="row between">
        <h2>{t.datasetPage.checking}</h2>
        <span className="num">{percent(operation?.progress ?? 0)}</span>
      </div>
      <Bar value={operation?.progress ?? 0} label={t.datasetPage.import} />
      <p className="dim small">{operation?.message || t.waitingForItsTurn}</p>
    </section>
  );
}

function Views({ dataset, version }: { dataset: Dataset; version: Schemas["DatasetVersion"] }) {
  const t = useWords();
  const { view } = useSearch({ from: FROM });
  const params = { datasetId: dataset.id };
  const entries = [
    { label: t.datasetPage.images, view: undefined },
    { label: version.fault_count ? t.datasetPage.faultsCounted({ n: version.fault_count }) : t.datasetPage.faults, view: "faults" },
    { label: t.datasetPage.versions, view: "versions" },
  ] as const;
  return (
    <>
      <nav className="views" aria-label={t.views}>
        {entries.map((entry) => (
          <Link key={entry.view ?? "images"} to="/datasets/$datasetId" params={params} search={{ view: entry.view }} activeOptions={EXACTLY}>
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
  const t = useWords();
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/datasets/$datasetId" });
  const images = useRef<HTMLElement>(null);
  const filter = { class: search.class, split: search.split };
  const first = useQuery(pageQuery(dataset.id, filter, 0));
  const put = (change: { [K in keyof DatasetSearch]?: DatasetSearch[K] | undefined }): void =>
    void navigate({ search: (old) => ({ ...old, ...change }) as DatasetSearch, replace: true, resetScroll: false });
  /** Another filter begins at its first image. */
  const narrow = (change: { class?: string | undefined; split?: DatasetSearch["split"] | undefined }): void => {
    if (images.current && images.current.getBoundingClientRect().top < 0) images.current.scrollIntoView();
    put({ ...change, at: undefined });
  };
  const marked = version.task_types.some((task) => MARKED.includes(task));
  const colours = useMemo(() => coloursOf(version.classes), [version.classes]);
  return (
    <div className="dataset">
      <section className="panel dataset-classes" aria-label={t.datasetPage.classes}>
        <div className="panel-title">
          <h2>{t.datasetPage.classes}</h2>
          <SplitKey />
        </div>
        <ClassChart classes={version.classes} chosen={search.class} onChoose={(name) => narrow({ class: name })} />
      </section>
      <section ref={images} className="stack dataset-images" aria-label={t.datasetPage.images}>
        <div className="dataset-bar">
          <div className="chips" role="group" aria-label={t.datasetPage.split}>
            {([undefined, "train", "val"] as const).map((split) => (
              <button key={split ?? "all"} type="button" className="chip" aria-pressed={search.split === split} onClick={() => narrow({ split })}>
                {split === undefined ? t.datasetPage.allImages : split === "train" ? t.datasetPage.training({ n: version.train_count }) : t.datasetPage.validation({ n: version.val_count })}
              </button>
            ))}
            {search.class !== undefined && (
              <button type="button" className="chip" aria-label={t.datasetPage.showAll({ name: search.class })} onClick={() => narrow({ class: undefined })}>
                {search.class} ×
              </button>
            )}
          </div>
          {marked && (
            <button type="button" className="chip" aria-pressed={search.boxes !== false} onClick={() => put({ boxes: search.boxes === false ? undefined : false })}>
              {t.datasetPage.boxes}
            </button>
          )}
          <span className="dim small" role="status">
            {first.data ? t.count.images({ n: first.data.total }) : " "}
          </span>
        </div>
        {first.isError && <Failure error={first.error} retry={() => void first.refetch()} />}
        {first.isPending && <GridSkeleton />}
        {first.data?.total === 0 && (
          <Empty title={t.datasetPage.noImage}>
            <p>{t.datasetPage.noImageHelp}</p>
          </Empty>
        )}
        {first.data && first.data.total > 0 && (
          <ImageGrid
            key={`${search.class}/${search.split}`}
            datasetId={dataset.id}
            filter={filter}
            total={first.data.total}
            colours={marked && search.boxes !== false ? colours : null}
            at={search.at ?? 0}
            onAt={(at) => put({ at: at || undefined })}
          />
        )}
      </section>
    </div>
  );
}

function Faults({ datasetId, onlyIfAny = false }: { datasetId: string; onlyIfAny?: boolean }) {
  const t = useWords();
  const report = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/report", { params: { path: { dataset_id: datasetId } } });
  if (report.isError) return <Failure error={report.error} retry={() => void report.refetch()} />;
  if (!report.data) return <Skeleton height={180} />;
  if (report.data.faults.length === 0)
    return onlyIfAny ? null : (
      <Empty title={t.datasetPage.noFault}>
        <p>{t.datasetPage.noFaultHelp}</p>
      </Empty>
    );
  return (
    <ul className="panel">
      {report.data.faults.map((fault) => (
        <li key={`${fault.code} ${fault.message}`} className="fault">
          <div className="row wrap">
            <Badge tone={SEVERITY[fault.severity]}>{t.severities[fault.severity]}</Badge>
            <strong>{titled(t.faults, fault.code) ?? fault.code}</strong>
          </div>
          <p>{fault.message}</p>
          {fault.hint && <p>{fault.hint}</p>}
          {fault.files.length > 0 && (
            <ul className="files">
              {fault.files.map((file, i) => (
                <li key={file} className="break">
                  <FaultyFile datasetId={datasetId} name={file} n={fault.images?.[i]} />
                </li>
              ))}
              {fault.file_count > fault.files.length && <li>{t.datasetPage.more({ n: fault.file_count - fault.files.length })}</li>}
            </ul>
          )}
        </li>
      ))}
    </ul>
  );
}

/** With a way to the image, where it is one: what could not be read was left out. */
function FaultyFile({ datasetId, name, n }: { datasetId: string; name: string; n: number | null | undefined }) {
  if (n == null) return name;
  return (
    <Link to="/datasets/$datasetId/images/$n" params={{ datasetId, n: String(n) }}>
      {name}
    </Link>
  );
}

function Versions({ datasetId }: { datasetId: string }) {
  const t = useWords().datasetPage;
  const versions = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/versions", { params: { path: { dataset_id: datasetId } } });
  if (versions.isError) return <Failure error={versions.error} retry={() => void versions.refetch()} />;
  if (!versions.data) return <Skeleton height={120} />;
  return (
    <div className="stack">
      <div className="panel table-scroll" tabIndex={0} role="region" aria-label={t.tableOfVersions}>
        <table className="table">
          <thead>
            <tr>
              <th>{t.versionColumn}</th>
              <th className="num">{t.images}</th>
              <th className="num">{t.trainingColumn}</th>
              <th className="num">{t.validationColumn}</th>
              <th className="num">{t.size}</th>
              <th>{t.created}</th>
              <th>{t.hash}</th>
              {versions.data.items.length > 1 && <th>{t.changes}</th>}
            </tr>
          </thead>
          <tbody>
            {versions.data.items.map((v, i, all) => (
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
                {all.length > 1 && <td>{all[i + 1] ? <Changes of={changesSince(all[i + 1]!, v)} /> : "–"}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small">
        <Link to="/jobs" search={{ dataset: datasetId }}>
          {t.trainings}
        </Link>
      </p>
    </div>
  );
}

function Changes({ of }: { of: VersionChanges }) {
  const t = useWords();
  const counts: [name: string, n: number][] = [
    [t.datasetPage.images, of.images],
    [t.splits.train, of.train],
    [t.splits.val, of.val],
  ];
  return (
    <>
      <div>{counts.map(([name, n]) => `${name} ${difference(n)}`).join(", ")}</div>
      {of.added.length > 0 && <div>{t.datasetPage.classesAdded({ names: of.added.join(", ") })}</div>}
      {of.removed.length > 0 && <div>{t.datasetPage.classesRemoved({ names: of.removed.join(", ") })}</div>}
    </>
  );
}

/** A sign with every number but nought. */
const difference = (n: number): string => (n === 0 ? "±0" : `${n > 0 ? "+" : "−"}${count(Math.abs(n))}`);
