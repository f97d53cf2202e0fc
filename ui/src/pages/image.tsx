import "./image.css";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate, useParams, useRouter, useSearch } from "@tanstack/react-router";
import { ArrowLeft, ChevronLeft, ChevronRight } from "lucide-react";
import { useEffect, useEffectEvent, useMemo, useRef, useState, type ReactNode } from "react";
import { $api, queryClient, type Schemas } from "../api/client";
import { Picture } from "../components/Picture";
import { Badge, Failure, NotFound, SEVERITY, Skeleton } from "../components/states";
import { toggledClass, type ImageFilter, type ImageSearch } from "../lib/dataset-search";
import { bytes, count } from "../lib/format";
import { usePageKeys, useTitle } from "../lib/hooks";
import { coloursOf, OTHER_COLOUR } from "../lib/marks";
import { titled, useWords } from "../words";

type Shown = Schemas["DatasetImageAlone"];
const FROM = "/inside/datasets/$datasetId/images/$n";
/** The addresses of an image are signed for an hour. */
const FRESH_MS = 50 * 60_000;
const PREPARED_BYTES = 8_000_000;
const MOST_OWED = 3;

const imageQuery = (id: string, n: number, filter: ImageFilter) =>
  $api.queryOptions("get", "/api/v1/datasets/{dataset_id}/images/{n}", { params: { path: { dataset_id: id, n }, query: filter } }, { staleTime: FRESH_MS, refetchInterval: FRESH_MS });

/** One image of a data set, whole, and what is known of it. */
export function ImagePage() {
  const t = useWords();
  const { datasetId, n } = useParams({ from: FROM });
  const search = useSearch({ from: FROM });
  const filter: ImageFilter = useMemo(() => ({ ...(search.class && { class: search.class }), ...(search.split && { split: search.split }) }), [search.class, search.split]);
  const isNumber = /^\d{1,15}$/.test(n);
  const path = { params: { path: { dataset_id: datasetId } } };
  const dataset = $api.useQuery("get", "/api/v1/datasets/{dataset_id}", path, { staleTime: FRESH_MS });
  const image = useQuery({ ...imageQuery(datasetId, Number(n), filter), placeholderData: keepPreviousData, enabled: isNumber });
  useTitle(image.data ? image.data.file_name : t.imagePage.title);
  if (!isNumber) return <NotFound />;
  const failed = dataset.error ?? image.error;
  if (failed) return <Failure error={failed} retry={() => void Promise.all([dataset.refetch(), image.refetch()])} />;
  if (!dataset.data || !image.data) return <Skeleton height="70vh" label={t.imagePage.loading} />;
  return <Alone dataset={dataset.data} image={image.data} filter={filter} />;
}

function Alone({ dataset, image, filter }: { dataset: Schemas["Dataset"]; image: Shown; filter: ImageFilter }) {
  const { hide } = useSearch({ from: FROM });
  const colours = useMemo(() => coloursOf(dataset.version?.classes ?? []), [dataset.version]);
  const [lit, setLit] = useState<string | null>(null);
  usePrepared(dataset.id, image, filter);
  return (
    <>
      <header className="page-head">
        <div className="stack-s">
          <BackToAll dataset={dataset} image={image} filter={filter} />
          <h1>{image.file_name}</h1>
        </div>
        <Steps datasetId={dataset.id} image={image} filter={filter} />
      </header>
      <div className="image-page">
        <Picture image={image} colours={colours} hidden={hide ?? []} lit={lit} />
        <div className="stack">
          <Facts image={image} />
          <Legend image={image} colours={colours} onLit={setLit} />
          <Faults datasetId={dataset.id} n={image.n} />
        </div>
      </div>
    </>
  );
}

function BackToAll({ dataset, image, filter }: { dataset: Schemas["Dataset"]; image: Shown; filter: ImageFilter }) {
  const t = useWords().imagePage;
  return (
    <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} search={{ ...filter, ...(image.place > 0 && { at: image.place }) }} className="row small dim">
      <ArrowLeft size={15} aria-hidden />
      {filter.class !== undefined ? t.backToClass({ name: dataset.name, of: filter.class }) : t.back({ name: dataset.name })}
    </Link>
  );
}

/** To the images beside it in the filter. A step takes this one's place in the history: back leads to where one came from. */
function Steps({ datasetId, image, filter }: { datasetId: string; image: Shown; filter: ImageFilter }) {
  const t = useWords().imagePage;
  const navigate = useNavigate();
  const router = useRouter();
  const fromGrid = useLocation({ select: (location) => location.state.fromGrid });
  const at = Number(useParams({ from: FROM }).n);
  const owed = useRef(0);
  const step = useEffectEvent((by: 1 | -1): boolean => {
    const to = by > 0 ? image.next : image.previous;
    if (image.n !== at) owed.current = Math.min(MOST_OWED, Math.max(-MOST_OWED, owed.current + by));
    else if (to === null) return false;
    else void navigate({ to: "/datasets/$datasetId/images/$n", params: { datasetId, n: String(to) }, search: true, state: true, replace: true, resetScroll: false });
    return true;
  });
  // A key may come again before the image it led to is known.
  useEffect(() => {
    if (image.n !== at || owed.current === 0) return;
    const by = owed.current > 0 ? 1 : -1;
    owed.current -= by;
    if (!step(by)) owed.current = 0;
  }, [image.n, at]);
  usePageKeys((key) => {
    if (key === "ArrowLeft" || key === "ArrowRight") return step(key === "ArrowRight" ? 1 : -1);
    if (key !== "Escape") return false;
    if (fromGrid) router.history.back();
    else void navigate({ to: "/datasets/$datasetId", params: { datasetId }, search: { ...filter, ...(image.place > 0 && { at: image.place }) } });
    return true;
  });
  return (
    <nav className="image-steps" aria-label={t.steps}>
      <span className="small dim" role="status">
        {t.place({ n: image.place + 1, total: image.total })}
      </span>
      <Step to={image.previous} label={t.previous} datasetId={datasetId}>
        <ChevronLeft size={16} aria-hidden />
      </Step>
      <Step to={image.next} label={t.next} datasetId={datasetId}>
        <ChevronRight size={16} aria-hidden />
      </Step>
    </nav>
  );
}

function Step({ to, label, datasetId, children }: { to: number | null; label: string; datasetId: string; children: ReactNode }) {
  return (
    <Link to="/datasets/$datasetId/images/$n" params={{ datasetId, n: String(to) }} search={true} state={true} replace resetScroll={false} disabled={to === null} className="chip" aria-label={label} title={label}>
      {children}
    </Link>
  );
}

function Facts({ image }: { image: Shown }) {
  const t = useWords();
  const classes = image.labels.length > 0 ? image.labels : [...new Set(image.objects.map((object) => object.class))];
  return (
    <section className="panel stack-s" aria-label={t.imagePage.facts}>
      <dl className="facts">
        <dt>{t.imagePage.size}</dt>
        <dd>
          {count(image.width)} × {t.unit.pixels({ n: image.height })} · {bytes(image.size)}
        </dd>
        <dt>{t.datasetPage.split}</dt>
        <dd>{t.splits[image.split]}</dd>
        <dt>{t.imagePage.labels}</dt>
        <dd>{classes.join(", ") || t.images.noLabel}</dd>
      </dl>
      <a className="small" href={image.image_url} target="_blank" rel="noreferrer">
        {t.imagePage.original}
      </a>
    </section>
  );
}

/** The classes of its marks: a switch for each, and whoever points at one sees where they are. */
function Legend({ image, colours, onLit }: { image: Shown; colours: Map<string, string>; onLit: (name: string | null) => void }) {
  const t = useWords().imagePage;
  const { hide } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/datasets/$datasetId/images/$n" });
  const counts = new Map<string, number>();
  for (const object of image.objects) counts.set(object.class, (counts.get(object.class) ?? 0) + 1);
  if (counts.size === 0) return null;
  const toggle = (name: string): void => void navigate({ search: (old) => ({ ...old, hide: toggledClass(old.hide, name) }) as ImageSearch, state: true, replace: true, resetScroll: false });
  return (
    <section className="panel" aria-label={t.marks}>
      <div className="panel-title">
        <h2>{t.marks}</h2>
      </div>
      <div className="legend">
        {[...counts].map(([name, n]) => (
          <button key={name} type="button" aria-pressed={!hide?.includes(name)} onClick={() => toggle(name)} onPointerEnter={() => onLit(name)} onPointerLeave={() => onLit(null)} onFocus={() => onLit(name)} onBlur={() => onLit(null)}>
            <i style={{ background: colours.get(name) ?? OTHER_COLOUR }} />
            <span className="clip">{name}</span>
            <span className="num">{count(n)}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

function Faults({ datasetId, n }: { datasetId: string; n: number }) {
  const t = useWords();
  const report = $api.useQuery("get", "/api/v1/datasets/{dataset_id}/report", { params: { path: { dataset_id: datasetId } } }, { staleTime: FRESH_MS });
  const found = report.data?.faults.filter((fault) => fault.images?.includes(n)) ?? [];
  if (found.length === 0) return null;
  return (
    <section className="panel" aria-label={t.datasetPage.faults}>
      <div className="panel-title">
        <h2>{t.datasetPage.faults}</h2>
      </div>
      <ul className="image-faults">
        {found.map((fault) => (
          <li key={`${fault.code} ${fault.message}`}>
            <div className="row wrap">
              <Badge tone={SEVERITY[fault.severity]}>{t.severities[fault.severity]}</Badge>
              <strong>{titled(t.faults, fault.code) ?? fault.code}</strong>
            </div>
            <p>{fault.hint}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is beside it is there before one steps on to it. */
function usePrepared(datasetId: string, image: Shown, filter: ImageFilter): void {
  useEffect(() => {
    for (const n of [image.next, image.previous])
      if (n !== null)
        void queryClient.fetchQuery(imageQuery(datasetId, n, filter)).then(
          ({ size, image_url }) => {
            if (size < PREPARED_BYTES) new Image().src = image_url;
          },
          () => undefined,
        );
  }, [datasetId, image.next, image.previous, filter]);
}
