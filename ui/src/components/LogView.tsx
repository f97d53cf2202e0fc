import "./LogView.css";
import { Button } from "@mantine/core";
import { ArrowDown, ChevronDown, ChevronUp, Download, X } from "lucide-react";
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type KeyboardEvent, type MouseEvent } from "react";
import { api, unwrap, type Schemas } from "../api/client";
import { fileStem, save } from "../lib/download";
import { clock } from "../lib/format";
import { useCopied, useRemembered } from "../lib/hooks";
import { LEVELS, type Level } from "../lib/job-search";
import { useJobSearch } from "../lib/use-job-search";
import { LogBuffer, rowsInView, scrollTo, type LogLine } from "../live/log";
import { logLines, useFound, useLog } from "../live/use-log";
import { useWords } from "../words";
import { Failure, Skeleton } from "./states";

const LINE = 20;
const COPIED_AT_MOST = 5_000;
const NEAR_END = 2 * LINE;

/** The whole log, however long: it follows its end until one scrolls up, is searched and filtered, and has a link to each line. */
export function LogView({ job, ended }: { job: Schemas["Job"]; ended: boolean }) {
  const t = useWords();
  const tail = useLog(job.id);
  const [buffer] = useState(() => new LogBuffer((from, limit) => logLines(job.id, from, limit)));
  const data = tail.data;
  useEffect(() => {
    if (data) buffer.take(data.total, data.items);
  }, [buffer, data]);
  if (tail.isError) return <Failure error={tail.error} retry={() => void tail.refetch()} />;
  if (!tail.data) return <Skeleton height={400} label={t.log.loading} />;
  return <Lines job={job} ended={ended} buffer={buffer} />;
}

function Lines({ job, ended, buffer }: { job: Schemas["Job"]; ended: boolean; buffer: LogBuffer }) {
  const t = useWords();
  const [search, change] = useJobSearch();
  useSyncExternalStore(buffer.subscribe, () => buffer.version);
  const { total } = buffer;
  const filtered = useFound(job.id, "", search.level, total);
  const matches = useFound(job.id, search.q ?? "", search.level, total, search.q !== undefined);
  const rows = search.level ? filtered.lines.length : total;
  const lineOf = (row: number): LogLine | undefined => (search.level ? filtered.lines[row] : buffer.line(row));
  const rowOf = (n: number): number => (search.level ? filtered.lines.findIndex((line) => line.n >= n) : n);

  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const [follow, setFollow] = useState(search.line === undefined && search.q === undefined);
  const [current, setCurrent] = useState<number | null>(null);
  const seen = rowsInView(rows, LINE, place.top, place.height);
  useEffect(() => {
    if (!search.level) buffer.want(seen.first - 50, seen.last + 50);
  }, [buffer, search.level, seen.first, seen.last, total]);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = new ResizeObserver(() => setPlace({ top: element.scrollTop, height: element.clientHeight }));
    measure.observe(element);
    return () => measure.disconnect();
  }, []);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, rows]);

  const show = (n: number): void => {
    const row = rowOf(n);
    if (row < 0 || !box.current) return;
    setFollow(false);
    box.current.scrollTop = scrollTo(row, rows, LINE, box.current.clientHeight);
  };
  const arrived = useRef<number | null>(null);
  useEffect(() => {
    // An address with a line leads to it, once it is there.
    if (search.line === undefined || arrived.current === search.line || rows === 0) return;
    arrived.current = search.line;
    show(search.line - 1);
  });
  const go = (by: 1 | -1): void => {
    const from = current ?? (by > 0 ? (lineOf(seen.first)?.n ?? 0) - 1 : (lineOf(seen.last - 1)?.n ?? total));
    const ahead = by > 0 ? matches.lines.find((line) => line.n > from) : matches.lines.findLast((line) => line.n < from);
    const next = ahead ?? (by > 0 ? matches.lines[0] : matches.lines.at(-1));
    if (!next) return;
    setCurrent(next.n);
    show(next.n);
  };
  const mark = (event: MouseEvent, n: number): void => {
    event.preventDefault();
    arrived.current = search.line !== undefined && event.shiftKey ? Math.min(search.line, n) : n;
    if (search.line !== undefined && event.shiftKey) change({ line: Math.min(search.line, n), last: Math.max(search.last ?? search.line, n) });
    else change({ line: n, last: undefined });
  };
  const markedTo = search.last ?? search.line ?? 0;

  return (
    <section className="panel flush" aria-label={t.job.log}>
      <div className="log-bar">
        <Search
          found={matches}
          current={current}
          onSearch={(q) => {
            setCurrent(null);
            change({ q });
          }}
          onGo={go}
        />
        <div className="chips" role="group" aria-label={t.log.level}>
          {LEVELS.map((level) => (
            <button key={level} type="button" className="chip" aria-pressed={search.level?.includes(level) ?? false} onClick={() => change({ level: switched(search.level, level) })}>
              {t.log.levels[level]}
            </button>
          ))}
        </div>
        <span className="small dim">
          {t.count.lines({ n: rows })}
          {search.level && filtered.more && `, ${t.log.firstOnes({ n: rows })}`}
        </span>
        <div className="row">
          {!ended && (
            <button type="button" className="chip" aria-pressed={follow} onClick={() => setFollow(!follow)}>
              {t.log.follow}
            </button>
          )}
          <Whole job={job} />
        </div>
      </div>
      <div className="log-frame">
        <div
          ref={box}
          className="log"
          role="log"
          aria-live="off"
          aria-label={t.job.log}
          tabIndex={0}
          onScroll={(e) => {
            const { scrollHeight, scrollTop, clientHeight } = e.currentTarget;
            setPlace({ top: scrollTop, height: clientHeight });
            setFollow(scrollHeight - scrollTop - clientHeight < NEAR_END);
          }}
        >
          {rows === 0 && <p className="dim log-nothing">{search.level && total > 0 ? (filtered.busy ? t.log.searching : t.log.nothingLike) : ended ? t.log.nothing : t.log.nothingYet}</p>}
          <div className="log-in" style={{ height: seen.inner }}>
            <div className="log-rows" style={{ transform: `translateY(${seen.top}px)`, ["--digits" as string]: `${String(total).length}ch` }}>
              {Array.from({ length: Math.max(0, seen.last - seen.first) }, (_, i) => seen.first + i).map((row) => {
                const line = lineOf(row);
                const n = line ? line.n + 1 : row + 1;
                return (
                  <div key={row} className="log-line" data-level={line?.level} data-marked={search.line !== undefined && n >= search.line && n <= markedTo} data-current={current === n - 1}>
                    <a href={`?view=log&line=${n}`} tabIndex={-1} aria-label={t.log.mark({ n })} onClick={(event) => mark(event, n)}>
                      {n}
                    </a>
                    {line && (
                      <>
                        <time dateTime={line.time}>{clock(line.time)}</time>
                        <span>{marked(line.text.replaceAll("\n", " ⏎ "), search.q)}</span>
                      </>
                    )}
                  </div>
                );
              })}
            </div>
          </div>
        </div>
        {!follow && rows * LINE > place.height && (
          <button type="button" className="chip log-end" onClick={() => setFollow(true)}>
            <ArrowDown size={14} aria-hidden />
            {t.log.toEnd}
          </button>
        )}
      </div>
      {search.line !== undefined && search.line <= total && <Marked job={job} buffer={buffer} from={search.line} to={Math.min(markedTo, total)} onClose={() => change({ line: undefined, last: undefined })} />}
    </section>
  );
}

type Found = ReturnType<typeof useFound>;

function Search({ found, current, onSearch, onGo }: { found: Found; current: number | null; onSearch: (q: string | undefined) => void; onGo: (by: 1 | -1) => void }) {
  const t = useWords().log;
  const [search] = useJobSearch();
  const [typed, setTyped] = useRemembered(search.q ?? "", (q) => onSearch(q || undefined));
  const pressed = (event: KeyboardEvent): void => {
    if (event.key === "Enter") onGo(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") setTyped("");
  };
  const place = current === null ? 0 : found.lines.findIndex((line) => line.n === current) + 1;
  const says = !search.q ? "" : found.lines.length > 0 ? t.found({ n: place, total: found.lines.length, more: found.more || found.busy }) : found.busy ? t.searching : t.notFound;
  return (
    <search className="log-search">
      <input type="search" maxLength={200} value={typed} placeholder={t.search} aria-label={t.search} onChange={(e) => setTyped(e.currentTarget.value)} onKeyDown={pressed} />
      <span className="small dim nowrap" role="status">
        {says}
      </span>
      <button type="button" className="chip tool" aria-label={t.previous} title={t.previous} disabled={found.lines.length === 0} onClick={() => onGo(-1)}>
        <ChevronUp size={16} aria-hidden />
      </button>
      <button type="button" className="chip tool" aria-label={t.next} title={t.next} disabled={found.lines.length === 0} onClick={() => onGo(1)}>
        <ChevronDown size={16} aria-hidden />
      </button>
    </search>
  );
}

/** The lines that the address names, whole and to be taken along. */
function Marked({ job, buffer, from, to, onClose }: { job: Schemas["Job"]; buffer: LogBuffer; from: number; to: number; onClose: () => void }) {
  const t = useWords().log;
  const [copied, copy] = useCopied();
  const end = Math.min(to, from + COPIED_AT_MOST - 1);
  useEffect(() => buffer.want(from - 1, Math.min(end, from + 20)), [buffer, from, end]);
  const first = buffer.line(from - 1);
  const whole = async (): Promise<string> => {
    const lines: string[] = [];
    for (let n = from - 1; n < end; n += 1000) lines.push(...(await logLines(job.id, n, Math.min(1000, end - n))).map((line) => line.text));
    return lines.join("\n");
  };
  return (
    <div className="log-marked" role="region" aria-label={from === end ? t.line({ n: from }) : t.lines({ n: from, last: end })}>
      <strong className="small">{from === end ? t.line({ n: from }) : t.lines({ n: from, last: end })}</strong>
      <div className="row wrap">
        <button type="button" className="chip" onClick={() => void whole().then((text) => copy("text", text))}>
          {copied === "text" ? t.copied : t.copy}
        </button>
        <button type="button" className="chip" onClick={() => copy("link", location.href)}>
          {copied === "link" ? t.copied : t.copyLink}
        </button>
        <button type="button" className="chip tool" aria-label={t.close} title={t.close} onClick={onClose}>
          <X size={16} aria-hidden />
        </button>
      </div>
      {first && from === end && <pre>{first.text}</pre>}
    </div>
  );
}

function Whole({ job }: { job: Schemas["Job"] }) {
  const t = useWords();
  const [state, setState] = useState<"ready" | "busy" | "failed">("ready");
  const load = async (): Promise<void> => {
    setState("busy");
    try {
      const text = await unwrap(api.GET("/api/v1/training/jobs/{job_id}/logs/text", { params: { path: { job_id: job.id } }, parseAs: "blob" }));
      save(text as unknown as Blob, `${fileStem(job.name)}.log`);
      setState("ready");
    } catch {
      setState("failed");
    }
  };
  return (
    <>
      {state === "failed" && (
        <span className="small bad" role="alert">
          {t.problem.failed}
        </span>
      )}
      <Button variant="default" size="xs" loading={state === "busy"} leftSection={<Download size={14} aria-hidden />} onClick={() => void load()}>
        {t.log.download}
      </Button>
    </>
  );
}

/** None chosen means all of them. */
function switched(chosen: Level[] | undefined, level: Level): Level[] | undefined {
  const after = chosen?.includes(level) ? chosen.filter((each) => each !== level) : [...(chosen ?? []), level];
  return after.length > 0 ? after : undefined;
}

/** A text with what is sought in it marked. */
function marked(text: string, sought: string | undefined): React.ReactNode {
  if (!sought) return text;
  const parts: React.ReactNode[] = [];
  const [low, wanted] = [text.toLowerCase(), sought.toLowerCase()];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}
