import "./ImageGrid.css";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useQueries } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type FocusEvent, type KeyboardEvent, type MouseEvent } from "react";
import { $api, type Schemas } from "../api/client";
import type { ImageFilter } from "../lib/dataset-search";
import { usePlace, useSettled } from "../lib/hooks";
import { OTHER_COLOUR, outlinesByClass } from "../lib/marks";
import { rememberOpened, takeOpened } from "../lib/opened";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

type Image = Schemas["DatasetImage"];
type Props = {
  datasetId: string;
  filter: ImageFilter;
  total: number;
  /** What to draw each class's marks in; null to draw none. */
  colours: Map<string, string> | null;
  /** The first image on the screen, as the address has it, and what to tell when another one is. */
  at: number;
  onAt: (at: number) => void;
};

const PAGE = 100;
const TILE = 132;
const GAP = 8;
const LABEL = 20;
const TINY = 64;
const OVERSCAN = 2;
/** What lies over the page above and below, where a tile could not be seen. */
const ABOVE = 112;
const BELOW = 68;
/** Pages that are scrolled past are not asked for; nor is the address changed before one has come to rest. */
const PASSING_MS = 100;
const REST_MS = 250;
/** The thumbnails' addresses are signed for an hour. */
const FRESH_MS = 50 * 60_000;
/** A page is let go soon after it has left the screen: 1,000 of them are 100 MB. */
const HELD_MS = 20_000;

export const pageQuery = (id: string, filter: ImageFilter, page: number) =>
  $api.queryOptions(
    "get",
    "/api/v1/datasets/{dataset_id}/images",
    { params: { path: { dataset_id: id }, query: { offset: page * PAGE, limit: PAGE, ...filter } } },
    { staleTime: FRESH_MS, refetchInterval: FRESH_MS, gcTime: HELD_MS },
  );

/**
 * Every image of a filter, of which only those near the screen exist: rows are virtual, pages come as one scrolls.
 *
 * An element ends at some 33 million pixels in Chromium and 17 in Firefox: 100,000 images in the two columns of a phone
 * are 11 million high.
 */
export function ImageGrid({ datasetId, filter, total, colours, at, onAt }: Props) {
  const t = useWords();
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const { width, top } = usePlace(box);
  const columns = Math.max(2, Math.floor((width + GAP) / (TILE + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const height = side + LABEL + GAP;
  /** The tile that the keyboard is at: it exists wherever the screen is, so that the focus is not lost. */
  const [active, setActive] = useState<number | null>(null);
  const going = useRef<number | null>(null);
  const grid = `${datasetId} ${filter.class ?? ""} ${filter.split ?? ""}`;

  const rows = useWindowVirtualizer({
    count: Math.ceil(total / columns),
    estimateSize: () => height,
    overscan: OVERSCAN,
    scrollMargin: top,
    scrollPaddingStart: ABOVE,
    scrollPaddingEnd: BELOW,
    enabled: width > 0,
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const [first, last] = [Math.max(0, startIndex - overscan), Math.min(count - 1, endIndex + overscan)];
      const range = Array.from({ length: last - first + 1 }, (_, i) => first + i);
      const row = active === null ? first : Math.floor(active / columns);
      return row >= count || (row >= first && row <= last) ? range : [...range, row].toSorted((a, b) => a - b);
    },
  });
  useLayoutEffect(() => rows.measure(), [rows, height]);

  const firstRow = Math.max(0, Math.round(((rows.scrollOffset ?? 0) + ABOVE - top) / height));
  const first = Math.min(firstRow * columns, total - 1);
  useKeptPlace({ columns, at, first, resting: !rows.isScrolling, onAt, offset: (row) => top + row * height - ABOVE, ready: width > 0 });

  const visible = rows.getVirtualItems();
  const pages = [...new Set(visible.flatMap((row) => [Math.floor((row.index * columns) / PAGE), Math.floor((Math.min(total, (row.index + 1) * columns) - 1) / PAGE)]))];
  const wanted = useSettled(pages.join(), PASSING_MS).split(",").map(Number);
  const answers = useQueries({ queries: pages.map((page) => ({ ...pageQuery(datasetId, filter, page), enabled: page === 0 || wanted.includes(page) })) });
  const image = (place: number): Image | undefined => answers[pages.indexOf(Math.floor(place / PAGE))]?.data?.items[place % PAGE];
  const failed = answers.find((answer) => answer.isError);

  const router = useRouter();
  const [before, after] = useMemo(() => {
    const { href } = router.buildLocation({ to: "/datasets/$datasetId/images/$n", params: { datasetId, n: "N" }, search: { class: filter.class, split: filter.split } });
    return href.split("/images/N") as [string, string];
  }, [router, datasetId, filter.class, filter.split]);

  useLayoutEffect(() => {
    const place = width > 0 ? takeOpened(grid) : null;
    if (place !== null) go(place);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- once, when the grid is there
  }, [width > 0]);
  useLayoutEffect(() => {
    if (going.current === null) return;
    const tile = box.current?.querySelector<HTMLElement>(`[data-place="${going.current}"]`);
    if (!tile) return;
    going.current = null;
    tile.focus({ preventScroll: true });
  });

  function go(to: number): void {
    const place = Math.min(total - 1, Math.max(0, to));
    going.current = place;
    setActive(place);
    rows.scrollToIndex(Math.floor(place / columns), { align: "auto" });
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const here = going.current ?? placeOf(event.target); // a key may come again before the tile is there
    if (here === null || event.altKey || event.metaKey || event.shiftKey || (event.ctrlKey && event.key !== "Home" && event.key !== "End")) return;
    const screen = Math.max(1, Math.floor((innerHeight - ABOVE - BELOW) / height)) * columns;
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, ArrowUp: here - columns, ArrowDown: here + columns, PageUp: here - screen, PageDown: here + screen, Home: 0, End: total - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    // From the last row but one a step down leads to the last image, not past it; one up from the first leads nowhere.
    if (event.key !== "ArrowUp" || to >= 0) go(to);
  }

  function onClick(event: MouseEvent<HTMLDivElement>): void {
    const place = placeOf(event.target);
    if (place === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const found = image(place);
    if (!found) return;
    rememberOpened(grid, place);
    void navigate({ to: "/datasets/$datasetId/images/$n", params: { datasetId, n: String(found.n) }, search: filter, state: { fromGrid: true } });
  }

  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const stop = active ?? first;
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- the links in it have the focus
    <div
      ref={box}
      className="tiles"
      role="grid"
      aria-label={t.datasetPage.images}
      aria-rowcount={Math.ceil(total / columns)}
      aria-colcount={columns}
      style={{ height: rows.getTotalSize() }}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onFocus={(event) => setActive(placeOf(event.target))}
      onBlur={(event: FocusEvent) => document.hasFocus() && !box.current?.contains(event.relatedTarget) && going.current === null && setActive(null)}
    >
      {visible.map((row) => (
        <div key={row.key} role="row" aria-rowindex={row.index + 1} className="tile-row" style={{ transform: `translateY(${row.start - top}px)`, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {Array.from({ length: Math.min(columns, total - row.index * columns) }, (_, i) => row.index * columns + i).map((place) => {
            const found = image(place);
            return <Tile key={place} place={place} image={found} href={found && `${before}/images/${found.n}${after}`} stop={place === stop} colours={colours} />;
          })}
        </div>
      ))}
    </div>
  );
}

const placeOf = (target: EventTarget): number | null => {
  const place = target instanceof Element ? target.closest<HTMLElement>("[data-place]")?.dataset.place : undefined;
  return place === undefined ? null : Number(place);
};

type Kept = { columns: number; at: number; first: number; resting: boolean; onAt: (at: number) => void; offset: (row: number) => number; ready: boolean };

/** Goes where the address says, stays at the same image when the columns change, and says where one has come to rest. */
function useKeptPlace({ columns, at, first, resting, onAt, offset, ready }: Kept): void {
  const shown = useRef(at);
  const before = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (!ready || before.current === columns) return;
    const begins = before.current === null;
    before.current = columns;
    const to = offset(Math.floor(shown.current / columns));
    const row = offset(1) - offset(0);
    // The browser's own memory is exact to the pixel: it is kept where it is at this row.
    if (shown.current > 0 && !(begins && Math.abs(scrollY - to) < row)) scrollTo({ top: to });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only then: not whenever a row has another place
  }, [ready, columns]);
  useEffect(() => {
    if (!ready || !resting) return;
    const timer = setTimeout(() => {
      shown.current = first;
      if (first !== at) onAt(first);
    }, REST_MS);
    return () => clearTimeout(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- whatever `onAt` is by then
  }, [ready, resting, first, at]);
}

type TileProps = { place: number; image: Image | undefined; href: string | undefined; stop: boolean; colours: Map<string, string> | null };

/** One element from the moment it is on the screen, whatever is known of it, so that the focus stays on it. */
const Tile = memo(function Tile({ place, image, href, stop, colours }: TileProps) {
  const t = useWords();
  const [broken, setBroken] = useState<string | null>(null);
  const name = image && `${image.file_name}, ${image.width} × ${image.height}, ${t.splits[image.split]}`;
  return (
    <div role="gridcell" className="tile">
      {/* oxlint-disable-next-line jsx-a11y/anchor-is-valid -- it has no address before its image is known */}
      <a className="tile-link" data-place={place} href={href} tabIndex={stop ? 0 : -1} title={name} aria-label={name ?? t.images.loading}>
        <div className="tile-frame">
          {image &&
            (broken === image.thumbnail_url ? (
              <span className="small dim">{t.images.noPreview}</span>
            ) : (
              <img src={image.thumbnail_url} alt="" data-tiny={Math.max(image.width, image.height) <= TINY} loading="lazy" decoding="async" draggable={false} onError={() => setBroken(image.thumbnail_url)} />
            ))}
          {image && colours && image.objects.length > 0 && <Marks image={image} colours={colours} />}
        </div>
        <span className="tile-label">
          <span className="clip">{image ? labelOf(image) || t.images.noLabel : "\u00a0"}</span>
          {image?.split === "val" && <span>{t.splits.val}</span>}
        </span>
      </a>
    </div>
  );
});

/** A path for each class, over one for all of them that sets them off from any picture. */
function Marks({ image, colours }: { image: Image; colours: Map<string, string> }) {
  const paths = outlinesByClass(image.objects);
  return (
    <svg viewBox={`0 0 ${image.width} ${image.height}`} aria-hidden>
      <path className="mark-under" d={paths.map(([, path]) => path).join("")} />
      {paths.map(([name, path]) => (
        <path key={name} d={path} stroke={colours.get(name) ?? OTHER_COLOUR} />
      ))}
    </svg>
  );
}

const labelOf = ({ labels, objects }: Image): string => (labels.length > 0 ? labels : [...new Set(objects.map((object) => object.class))]).join(", ");

export function GridSkeleton() {
  const t = useWords();
  return <Skeleton height="60vh" label={t.images.loading} />;
}
