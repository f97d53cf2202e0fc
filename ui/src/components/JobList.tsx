import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Schemas } from "../api/client";
import { usePlace } from "../lib/hooks";
import { extend, NOTHING, toggle, type Selection } from "../lib/selection";
import { useWords } from "../words";
import { JobColumns, JobRow } from "./JobRow";

type Job = Schemas["Job"];
type Props = { jobs: Job[]; now: number; selection: Selection; onSelect: (selection: Selection) => void; more: (() => void) | undefined };

const ROW = 65;
const OVERSCAN = 8;

/** Every job of a filter, of which only those near the screen exist. `more` fetches those after the last one. */
export function JobList({ jobs, now, selection, onSelect, more }: Props) {
  const t = useWords().jobs;
  const navigate = useNavigate();
  const box = useRef<HTMLUListElement>(null);
  const { top } = usePlace(box);
  /** The row that the keyboard is at: it exists wherever the screen is, so that the focus is not lost. */
  const [at, setAt] = useState<number | null>(null);
  const going = useRef<number | null>(null);
  const rows = useWindowVirtualizer({
    count: jobs.length,
    estimateSize: () => ROW,
    getItemKey: (index) => jobs[index]!.id,
    overscan: OVERSCAN,
    scrollMargin: top,
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const [from, to] = [Math.max(0, startIndex - overscan), Math.min(count - 1, endIndex + overscan)];
      const range = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      return at === null || at >= count || (at >= from && at <= to) ? range : [...range, at].toSorted((a, b) => a - b);
    },
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= jobs.length - OVERSCAN) more?.();
  }, [last, jobs.length, more]);
  useLayoutEffect(() => {
    if (going.current === null) return;
    const input = box.current?.querySelector<HTMLInputElement>(`li[data-index="${going.current}"] .job-pick input`);
    if (!input) return;
    going.current = null;
    input.focus({ preventScroll: true });
  });

  const go = (to: number): void => {
    const index = Math.min(jobs.length - 1, Math.max(0, to));
    going.current = index;
    setAt(index);
    rows.scrollToIndex(index, { align: "auto" });
  };

  function onKeyDown(event: KeyboardEvent<HTMLUListElement>): void {
    if (!(event.target instanceof HTMLInputElement)) return;
    const here = Number(event.target.closest("li")?.dataset.index);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: jobs.length - 1 }[event.key];
    if (to !== undefined) {
      go(to);
      const next = jobs[Math.min(jobs.length - 1, Math.max(0, to))]!;
      if (event.shiftKey) {
        const begun = selection.anchor === null ? { ...selection, anchor: jobs[here]!.id } : selection;
        onSelect(extend(begun, jobs.map((job) => job.id), next.id));
      }
    } else if (event.key === "Enter") void navigate({ to: "/jobs/$jobId", params: { jobId: jobs[here]!.id } });
    else if (event.key === "Escape") onSelect(NOTHING);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) onSelect({ chosen: new Set(jobs.map((job) => job.id)), anchor: selection.anchor });
    else return;
    event.preventDefault();
  }

  return (
    <div className="panel job-list" data-choosing>
      <JobColumns />
      <p id="job-keys" className="visually-hidden">
        {t.keys}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the boxes in it have the focus */}
      <ul ref={box} className="job-rows" aria-label={t.list} aria-describedby="job-keys" style={{ height: rows.getTotalSize() }} onKeyDown={onKeyDown}>
        {visible.map((row) => {
          const job = jobs[row.index]!;
          return (
            <li
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              data-chosen={selection.chosen.has(job.id)}
              aria-posinset={row.index + 1}
              aria-setsize={jobs.length}
              style={{ transform: `translateY(${row.start - top}px)` }}
            >
              <JobRow
                job={job}
                now={now}
                pick={
                  <label className="job-pick">
                    <input
                      type="checkbox"
                      aria-label={t.choose({ name: job.name })}
                      checked={selection.chosen.has(job.id)}
                      onFocus={() => setAt(row.index)}
                      onChange={() => undefined}
                      onClick={(event) => onSelect(event.shiftKey ? extend(selection, jobs.map((j) => j.id), job.id) : toggle(selection, job.id))}
                    />
                  </label>
                }
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
