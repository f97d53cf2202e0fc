import "./ImageGrid.css";
import { useQueries } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState } from "react";
import { $api, type Schemas } from "../api/client";
import { usePlace } from "../lib/hooks";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

type Image = Schemas["DatasetImage"];
type Filter = { class?: string | undefined; split?: "train" | "val" | undefined };

const PAGE = 100;
const TILE = 132;
const GAP = 8;
const LABEL = 20;
const TINY = 64;
/** The thumbnails' addresses are signed for an hour. */
const FRESH_MS = 50 * 60_000;

const pageQuery = (id: string, filter: Filter, page: number) =>
  $api.queryOptions(
    "get",
    "/api/v1/datasets/{dataset_id}/images",
    { params: { path: { dataset_id: id }, query: { offset: page * PAGE, limit: PAGE, ...filter } } },
    { staleTime: FRESH_MS, refetchInterval: FRESH_MS },
  );

/** Every image of a filter, of which only those near the screen exist: rows are virtual, pages come as one scrolls. */
export function ImageGrid({ datasetId, filter, total }: { datasetId: string; filter: Filter; total: number }) {
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(box);
  const columns = Math.max(2, Math.floor((width + GAP) / (TILE + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const rows = useWindowVirtualizer({
    count: Math.ceil(total / columns),
    estimateSize: () => side + LABEL + GAP,
    overscan: 3,
    scrollMargin: top,
    enabled: width > 0,
  });
  useLayoutEffect(() => rows.measure(), [rows, side]);

  const visible = rows.getVirtualItems();
  const [from, to] = [(visible[0]?.index ?? 0) * columns, ((visible.at(-1)?.index ?? 0) + 1) * columns];
  const pages = Array.from({ length: Math.ceil(Math.min(to, total) / PAGE) - Math.floor(from / PAGE) }, (_, i) => Math.floor(from / PAGE) + i);
  const answers = useQueries({ queries: pages.map((page) => pageQuery(datasetId, filter, page)) });
  const image = (n: number): Image | undefined => answers[Math.floor(n / PAGE) - pages[0]!]?.data?.items[n % PAGE];
  const failed = answers.find((a) => a.isError);

  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  return (
    <div ref={box} className="tiles" role="grid" aria-label={t.datasetPage.images} aria-rowcount={Math.ceil(total / columns)} style={{ height: rows.getTotalSize() }}>
      {visible.map((row) => (
        <div key={row.key} role="row" aria-rowindex={row.index + 1} className="tile-row" style={{ transform: `translateY(${row.start - top}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {Array.from({ length: Math.min(columns, total - row.index * columns) }, (_, i) => row.index * columns + i).map((n) => (
            <Tile key={n} image={image(n)} />
          ))}
        </div>
      ))}
    </div>
  );
}

function Tile({ image }: { image: Image | undefined }) {
  const t = useWords();
  const [broken, setBroken] = useState(false);
  if (!image)
    return (
      <div role="gridcell" className="tile">
        <div className="tile-frame pulse" />
        <span className="tile-label">&nbsp;</span>
      </div>
    );
  const name = `${image.file_name}, ${image.width} × ${image.height}, ${t.splits[image.split]}`;
  return (
    <div role="gridcell" className="tile" title={name}>
      <div className="tile-frame">
        {broken ? (
          <span className="small dim">{t.images.noPreview}</span>
        ) : (
          <img src={image.thumbnail_url} alt={name} data-tiny={Math.max(image.width, image.height) <= TINY} loading="lazy" decoding="async" onError={() => setBroken(true)} />
        )}
      </div>
      <span className="tile-label">
        <span className="clip">{image.labels.join(", ") || t.images.noLabel}</span>
        {image.split === "val" && <span>{t.splits.val}</span>}
      </span>
    </div>
  );
}

export function GridSkeleton() {
  const t = useWords();
  return <Skeleton height="60vh" label={t.images.loading} />;
}
