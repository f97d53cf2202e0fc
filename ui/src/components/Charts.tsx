import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Download, Maximize2, ZoomIn, ZoomOut } from "lucide-react";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { ENDED, type Schemas } from "../api/client";
import { csvOf, curvesOf, extent, withValues, groups, moved, type Group } from "../lib/curves";
import { fileStem, save } from "../lib/download";
import { useRemembered } from "../lib/hooks";
import { AXES, isShown, toggled, type Axis } from "../lib/job-search";
import { looks } from "../lib/palette";
import { useJobSearch } from "../lib/use-job-search";
import type { MetricRow } from "../live/job";
import { everyRow, jobQueries } from "../live/use-job";
import { useWords, words } from "../words";
import { LiveChart, type Range } from "./LiveChart";

/** So many curves of a group, and charts of what is no common group, are shown before one asks for more. */
const CURVES = 8;
const CHARTS = 8;

/** Everything that was measured, over epochs, steps or time. What one chooses to see stands in the address. */
export function Charts({ job, rows }: { job: Schemas["Job"]; rows: readonly MetricRow[] }) {
  const t = useWords();
  const [search, change] = useJobSearch();
  const [everyChart, setEveryChart] = useState(false);
  const axis: Axis = search.x ?? "epoch";
  const running = !ENDED.includes(job.state);
  const steps = useQuery({ ...jobQueries.steps(job.id, running), enabled: axis !== "epoch" }).data?.items;
  const lost = useQuery({ ...jobQueries.withLost(job.id), enabled: search.lost === true }).data?.items;
  const load = useQuery({ ...jobQueries.load(job.id, running), enabled: search.load === true }).data?.rows;
  const [smoothing, setSmoothing] = useRemembered(search.smooth ?? 0, (weight) => change({ smooth: weight > 0 ? weight : undefined }));

  // The slider moves on while curves are still being drawn.
  const drawn = useDeferredValue(smoothing);

  const curves = useMemo(
    () => withValues(curvesOf([...rows, ...(axis === "epoch" ? [] : (steps ?? [])), ...(search.lost ? (lost ?? []).filter((row) => row.superseded) : []), ...(search.load ? (load ?? []) : [])], axis, job)),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- of the job only when it began
    [rows, axis, steps, search.lost, lost, search.load, load, job.created_at, job.started_at],
  );
  const found = useMemo(() => groups(new Set(curves.map((curve) => curve.name))), [curves]);
  const whole = wholeOf(axis, extent(curves), job.total_epochs);
  const zoomed: Range | null = search.from !== undefined && search.to !== undefined ? [search.from, search.to] : null;
  const range = zoomed ?? whole;
  const onZoom = useCallback((to: Range | null) => change({ from: to?.[0], to: to?.[1] }), [change]);
  const [lo, hi] = range;
  const [least, most] = whole;
  const logarithmic = search.log === true;
  const view = useMemo(() => ({ axis, whole: [least, most] as Range, range: [lo, hi] as Range, logarithmic, smoothing: drawn, onZoom }), [axis, least, most, lo, hi, logarithmic, drawn, onZoom]);
  const shownCharts = everyChart ? found : found.slice(0, CHARTS);
  const wanted = found.length > 0 ? shownCharts : WAITING;

  if (found.length === 0 && !running) return <p className="panel dim">{t.job.noValues}</p>;
  return (
    <>
      <section className="panel chart-bar wide" aria-label={t.charts.choices}>
        <div className="chips" role="group" aria-label={t.charts.axis}>
          {AXES.map((each) => (
            <button key={each} type="button" className="chip" aria-pressed={axis === each} onClick={() => change({ x: each === "epoch" ? undefined : each, from: undefined, to: undefined })}>
              {t.charts.axes[each]}
            </button>
          ))}
        </div>
        <label className="row small">
          {t.charts.smoothing}
          <input type="range" min={0} max={0.99} step={0.01} value={smoothing} onChange={(e) => setSmoothing(Number(e.currentTarget.value))} />
          <output className="chart-weight">{smoothing.toFixed(2)}</output>
        </label>
        <div className="chips">
          <Toggle on={search.log} say={t.charts.logarithmic} set={(log) => change({ log })} />
          {(job.attempt > 1 || search.lost) && <Toggle on={search.lost} say={t.charts.lost} set={(on) => change({ lost: on })} />}
          <Toggle on={search.load} say={t.charts.load} set={(on) => change({ load: on })} />
        </div>
        <div className="row chart-zoom">
          <Tool say={t.charts.zoomIn} icon={<ZoomIn size={16} aria-hidden />} onClick={() => onZoom(moved(range, whole, { factor: 0.5 }))} />
          <Tool say={t.charts.zoomOut} icon={<ZoomOut size={16} aria-hidden />} disabled={!zoomed} onClick={() => onZoom(moved(range, whole, { factor: 2 }))} />
          <Tool say={t.charts.earlier} icon={<ChevronLeft size={16} aria-hidden />} disabled={!zoomed} onClick={() => onZoom(moved(range, whole, { by: -0.25 }))} />
          <Tool say={t.charts.later} icon={<ChevronRight size={16} aria-hidden />} disabled={!zoomed} onClick={() => onZoom(moved(range, whole, { by: 0.25 }))} />
          <Tool say={t.charts.everything} icon={<Maximize2 size={16} aria-hidden />} disabled={!zoomed} onClick={() => onZoom(null)} />
          <SaveCsv job={job} />
        </div>
      </section>
      {wanted.map(([group, names]) => (
        <Chart key={group} group={group} names={names} curves={curves} view={view} />
      ))}
      {found.length > shownCharts.length && (
        <button type="button" className="chip chart-more" onClick={() => setEveryChart(true)}>
          {t.charts.moreCharts({ n: found.length - shownCharts.length })}
        </button>
      )}
    </>
  );
}

/** Before there is anything: where the first curves will be. */
const WAITING: [Group, string[]][] = [
  ["loss", []],
  ["quality", []],
];

type ChartProps = { group: Group; names: string[]; curves: ReturnType<typeof curvesOf>; view: Parameters<typeof LiveChart>[0]["view"] };

function Chart({ group, names, curves, view }: ChartProps) {
  const [search, change] = useJobSearch();
  const key = names.join("\n");
  const own = useMemo(() => curves.filter((curve) => key.split("\n").includes(curve.name)), [curves, key]);
  const looked = useMemo(() => looks(key === "" ? [] : key.split("\n")), [key]);
  const byDefault = (name: string): boolean => names.indexOf(name) < CURVES;
  const chosen = JSON.stringify([search.hide, search.show]);
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- `chosen` is all of the search that it reads
  const shown = useCallback((name: string) => isShown(search, name, key.split("\n").indexOf(name) < CURVES), [chosen, key]);
  return <LiveChart title={groupTitle(group)} names={names} looks={looked} shown={shown} onToggle={(name) => change(toggled(search, name, byDefault(name)))} curves={own} view={view} />;
}

function groupTitle(group: Group): string {
  const t = words();
  const titles = { loss: t.job.loss, quality: t.charts.quality, rate: t.job.learningRate, load: t.charts.load, memory: t.charts.memory };
  return group.startsWith("of ") ? group.slice(3).replaceAll("_", " ") : titles[group as keyof typeof titles];
}

/** Epochs begin with the first and end with the last that is planned; the rest is as long as it is. */
function wholeOf(axis: Axis, found: Range | null, total: number | null): Range {
  if (axis === "epoch") return [1, Math.max(total ?? 0, found?.[1] ?? 1, 2)];
  const [lo, hi] = [Math.min(0, found?.[0] ?? 0), found?.[1] ?? 1];
  return [lo, hi > lo ? hi : lo + 1];
}

function Toggle({ on, say, set }: { on: true | undefined; say: string; set: (on: true | undefined) => void }) {
  return (
    <button type="button" className="chip" aria-pressed={on === true} onClick={() => set(on ? undefined : true)}>
      {say}
    </button>
  );
}

function Tool({ say, icon, disabled, onClick }: { say: string; icon: React.ReactNode; disabled?: boolean; onClick: () => void }) {
  return (
    <button type="button" className="chip tool" aria-label={say} title={say} disabled={disabled} onClick={onClick}>
      {icon}
    </button>
  );
}

function SaveCsv({ job }: { job: Schemas["Job"] }) {
  const t = useWords().charts;
  const [busy, setBusy] = useState(false);
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      save(new Blob([csvOf(await everyRow(job.id))], { type: "text/csv" }), `${fileStem(job.name)}-metrics.csv`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button variant="default" size="xs" loading={busy} leftSection={<Download size={14} aria-hidden />} onClick={() => void make()}>
      {t.csv}
    </Button>
  );
}
