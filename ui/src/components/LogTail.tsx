import "./LogTail.css";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { clock } from "../lib/format";
import { useLog } from "../live/use-job";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

const LINE = 20;

/** The log's end. It follows what comes until one scrolls up, and again when one is back at the end. */
export function LogTail({ jobId, ended }: { jobId: string; ended: boolean }) {
  const t = useWords();
  const log = useLog(jobId);
  const box = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(true);
  const lines = log.data?.items ?? [];
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => LINE, overscan: 20 });
  const height = rows.getTotalSize();
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines.length, height]);

  if (log.isError) return <Failure error={log.error} retry={() => void log.refetch()} />;
  if (!log.data) return <Skeleton height={400} label={t.log.loading} />;
  return (
    <section className="panel flush" aria-label={t.job.log}>
      <div className="log-bar">
        <span className="small dim">
          {log.data.total > lines.length ? t.log.last({ n: lines.length, total: log.data.total }) : t.count.lines({ n: lines.length })}
        </span>
        {!ended && (
          <button type="button" className="chip" aria-pressed={follow} onClick={() => setFollow(!follow)}>
            {t.log.follow}
          </button>
        )}
      </div>
      <div
        ref={box}
        className="log"
        role="log"
        aria-live="off"
        tabIndex={0}
        onScroll={(e) => {
          const { scrollHeight, scrollTop, clientHeight } = e.currentTarget;
          setFollow(scrollHeight - scrollTop - clientHeight < 2 * LINE);
        }}
      >
        {lines.length === 0 && <p className="dim log-line">{ended ? t.log.nothing : t.log.nothingYet}</p>}
        <div className="log-in" style={{ height }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index]!;
            return (
              <div key={line.n} ref={rows.measureElement} data-index={row.index} className="log-line" data-level={line.level} style={{ transform: `translateY(${row.start}px)` }}>
                <time dateTime={line.time}>{clock(line.time)}</time>
                <span>{line.text}</span>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
