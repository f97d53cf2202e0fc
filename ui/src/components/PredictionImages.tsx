import "./ImageGrid.css";
import "./PredictionImages.css";
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { api, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { percent } from "../lib/format";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

const AT_ONCE = 48;
const TINY = 64;
const LIKELY = 3;
/** The thumbnails' addresses are signed for an hour. */
const FRESH_MS = 50 * 60_000;

type Props = { jobId: string; epoch: number; truth: string | undefined; predicted: string | undefined; onClose: () => void };

/** The images behind a cell of the confusion matrix, or a row of it. */
export function PredictionImages({ jobId, epoch, truth, predicted, onClose }: Props) {
  const t = useWords().results;
  const head = useRef<HTMLHeadingElement>(null);
  const images = useInfiniteQuery({
    queryKey: ["predictions", jobId, truth, predicted],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => page(jobId, truth, predicted, pageParam),
    getNextPageParam: (last) => (last.next_cursor == null ? undefined : Number(last.next_cursor)),
    staleTime: FRESH_MS,
    refetchInterval: FRESH_MS,
  });
  const found = images.data?.pages.flatMap((each) => each.items) ?? [];
  // Where few match, a page of a large file may have none of them: on to the next.
  const short = found.length < AT_ONCE && images.hasNextPage && !images.isFetching;
  const { fetchNextPage } = images;
  useEffect(() => {
    if (short) void fetchNextPage();
  }, [short, fetchNextPage]);
  useEffect(() => {
    head.current?.focus({ preventScroll: true });
    head.current?.scrollIntoView({ block: "nearest" });
  }, [truth, predicted]);

  const of = images.data?.pages[0]?.epoch;
  const title = predicted === undefined ? t.imagesOf({ truth: truth ?? "" }) : t.imagesOfCell({ truth: truth ?? "", predicted });
  return (
    <section className="panel wide" aria-label={title}>
      <div className="panel-title">
        <h2 ref={head} tabIndex={-1}>
          {title}
        </h2>
        <div className="row">
          {of != null && of !== epoch && <span className="small dim">{t.ofAnotherEpoch({ n: of })}</span>}
          <button type="button" className="chip" aria-label={t.close} title={t.close} onClick={onClose}>
            <X size={16} aria-hidden />
          </button>
        </div>
      </div>
      {images.isError && (problemOf(images.error).status === 404 ? <p className="dim">{problemOf(images.error).detail}</p> : <Failure error={images.error} retry={() => void images.refetch()} />)}
      {!images.isError && found.length === 0 && (images.isFetching || short ? <Skeleton height={200} label={t.loadingImages} /> : <p className="dim">{t.noImages}</p>)}
      <ul className="predictions">
        {found.map((item) => (
          <Tile key={item.file_name} item={item} />
        ))}
      </ul>
      {found.length >= AT_ONCE && images.hasNextPage && (
        <Button variant="default" size="xs" loading={images.isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t.moreImages}
        </Button>
      )}
    </section>
  );
}

const page = (id: string, truth: string | undefined, predicted: string | undefined, cursor: number): Promise<Schemas["PredictionPage"]> =>
  unwrap(
    api.GET("/api/v1/training/jobs/{job_id}/predictions", {
      params: { path: { job_id: id }, query: { limit: AT_ONCE, cursor, ...(truth !== undefined && { true: truth }), ...(predicted !== undefined && { predicted }) } },
    }),
  );

const share = (confidence: number): string => percent(100 * confidence, 1);

function Tile({ item }: { item: Schemas["Prediction"] }) {
  const t = useWords();
  const [broken, setBroken] = useState(false);
  const picture =
    item.thumbnail_url && !broken ? (
      <img src={item.thumbnail_url} alt={item.file_name} data-tiny={Math.max(item.width ?? 0, item.height ?? 0) <= TINY} loading="lazy" decoding="async" onError={() => setBroken(true)} />
    ) : (
      <span className="small dim">{t.images.noPreview}</span>
    );
  return (
    <li>
      {item.image_url ? (
        <a className="tile-frame" href={item.image_url} target="_blank" rel="noreferrer" title={item.file_name}>
          {picture}
        </a>
      ) : (
        <div className="tile-frame" title={item.file_name}>
          {picture}
        </div>
      )}
      <div className={item.true === item.predicted ? "clip" : "clip bad"}>{t.results.predictedAs({ predicted: item.predicted, share: share(item.confidence) })}</div>
      <div className="clip dim">{item.file_name}</div>
      <ol>
        {item.top
          .filter((likely) => likely.class !== item.predicted)
          .slice(0, LIKELY - 1)
          .map((likely) => (
            <li key={likely.class}>
              <span className="clip">{likely.class}</span>
              <span>{share(likely.confidence)}</span>
            </li>
          ))}
      </ol>
    </li>
  );
}
