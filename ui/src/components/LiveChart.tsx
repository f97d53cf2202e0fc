import "./LiveChart.css";
import { useComputedColorScheme } from "@mantine/core";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { decimate, joined, moved, smooth, valueAt, type Curve, type Points } from "../lib/curves";
import { bytes, duration, isRatio, metric, metricTitle, percent } from "../lib/format";
import type { Axis } from "../lib/job-search";
import type { Look } from "../lib/palette";
import { frameBuffer } from "../live/frames";
import { useWords, words } from "../words";
import { number } from "../words/locale";

const HEIGHT = 220;
const FAINT = 0.28;
const LOST = 0.65;
const IN_KEY = 12;

export type Range = [lo: number, hi: number];
export type View = {
  axis: Axis;
  /** All there is along the axis, and the part of it that is shown. */
  whole: Range;
  range: Range;
  logarithmic: boolean;
  smoothing: number;
  onZoom: (range: Range | null) => void;
};
type Props = {
  title: string;
  names: readonly string[];
  looks: Record<string, Look>;
  shown: (name: string) => boolean;
  onToggle: (name: string) => void;
  curves: readonly Curve[];
  view: View;
};

/**
 * A group of metrics over one axis. The key shows each value under the pointer, else the last one, and hides and shows
 * curves. All charts of a page share the pointer and the part of the axis that is shown.
 */
export function LiveChart({ title, names, looks, shown, onToggle, curves, view }: Props) {
  const t = useWords();
  const [at, setAt] = useState<number | null>(null);
  const drawn = useMemo(() => curves.filter((curve) => shown(curve.name)), [curves, shown]);
  const counted = useMemo(() => new Map(curves.filter((c) => c.lost === null).map((c) => [c.name, c])), [curves]);
  const first = names.filter((name, i) => i < IN_KEY || shown(name));
  const rest = names.filter((name) => !first.includes(name));
  const entry = (name: string) => (
    <button key={name} type="button" className="key-entry" aria-pressed={shown(name)} title={name} onClick={() => onToggle(name)}>
      <i style={{ borderTopColor: `var(${looks[name]!.color})`, borderTopStyle: looks[name]!.dash.length > 0 ? "dashed" : "solid" }} />
      {metricTitle(name)}
      <b>{shown(name) && counted.has(name) ? valueText(name, valueAt(counted.get(name)!, at)) : ""}</b>
    </button>
  );
  return (
    <figure className="panel" aria-label={title}>
      <figcaption className="chart-title">
        <h2>{title}</h2>
        <span className="small dim">{at === null ? "" : placeText(view.axis, at)}</span>
        <div className="chart-key">
          {first.map(entry)}
          {rest.length > 0 && (
            <details>
              <summary>{t.charts.more({ n: rest.length })}</summary>
              <div className="chart-key">{rest.map(entry)}</div>
            </details>
          )}
        </div>
      </figcaption>
      {curves.length === 0 ? (
        <Nothing says={t.job.noEpochYet} />
      ) : drawn.length === 0 ? (
        <Nothing says={t.charts.allHidden} />
      ) : view.logarithmic && !drawn.some(({ y }) => y.some((value) => value !== null && value > 0)) ? (
        <Nothing says={t.charts.noneAboveZero} />
      ) : (
        <Plot names={names} curves={drawn} looks={looks} view={view} onHover={setAt} />
      )}
    </figure>
  );
}

const Nothing = ({ says }: { says: string }) => (
  <div className="chart-plot">
    <span className="chart-wait">{says}</span>
  </div>
);

type PlotProps = { names: readonly string[]; curves: readonly Curve[]; looks: Record<string, Look>; view: View; onHover: (at: number | null) => void };

const Plot = memo(function Plot({ names, curves, looks, view, onHover }: PlotProps) {
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  const latest = useRef({ view, lines: [] as Line[] });
  const draw = useRef<(() => void) | null>(null);
  const lines = useMemo(() => linesOf(curves, view.smoothing, view.logarithmic), [curves, view.smoothing, view.logarithmic]);
  const structure = JSON.stringify([lines.map((line) => [line.name, line.lost, line.faint, looks[line.name]]), view.logarithmic, view.axis]);
  // In an effect, and before those below: a frame that is under way for an older plot must not meet newer lines.
  useEffect(() => {
    latest.current = { view, lines };
  });
  useEffect(() => {
    const element = box.current!;
    const plot = new uPlot(options(element, names[0] ?? "", latest.current.lines, looks, latest, onHover), [[]], element);
    const frames = frameBuffer<null>(() => {
      const { range } = latest.current.view;
      const data = joined(latest.current.lines.map((line) => decimate(line, ...range, Math.max(100, plot.bbox.width / devicePixelRatio))));
      plot.setData(data as uPlot.AlignedData);
      element.dataset.points = String(data[0].length);
    });
    draw.current = () => frames.put(null);
    const resize = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height: HEIGHT });
      frames.put(null);
    });
    resize.observe(element);
    const pressed = (event: KeyboardEvent): void => {
      const { range, whole, onZoom } = latest.current.view;
      const change = KEYS[event.key];
      if (change === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      onZoom(change && moved(range, whole, change));
    };
    element.addEventListener("keydown", pressed);
    return () => {
      element.removeEventListener("keydown", pressed);
      frames.cancel();
      resize.disconnect();
      plot.destroy();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `structure` says all that a plot is made of
  }, [structure, scheme, t, onHover]);
  const [lo, hi] = view.range;
  useEffect(() => draw.current?.(), [structure, scheme, t, onHover, lines, lo, hi]);

  const points = curves.reduce((most, curve) => Math.max(most, curve.x.length), 0);
  return <div ref={box} className="chart-plot" data-testid="chart" role="img" tabIndex={0} aria-label={`${t.job.chart({ n: points })}. ${t.charts.keys}`} aria-keyshortcuts="+ - ArrowLeft ArrowRight Escape" />;
});

const KEYS: Record<string, { factor?: number; by?: number } | null> = {
  "+": { factor: 0.5 },
  "=": { factor: 0.5 },
  "-": { factor: 2 },
  ArrowLeft: { by: -0.25 },
  ArrowRight: { by: 0.25 },
  Escape: null,
  "0": null,
};

type Line = Points & { name: string; lost: number | null; faint: boolean };

/** What is drawn, the faint ones first: below the smoothed curve its own values, and what lost attempts had reported. */
function linesOf(curves: readonly Curve[], smoothing: number, logarithmic: boolean): Line[] {
  const drawable = (y: (number | null)[]): (number | null)[] => (logarithmic ? y.map((value) => (value !== null && value > 0 ? value : null)) : y);
  const raw = curves.map((curve) => ({ ...curve, y: drawable(curve.y), faint: smoothing > 0 || curve.lost !== null }));
  const smoothed = smoothing > 0 ? raw.filter((curve) => curve.lost === null).map((curve) => ({ ...curve, y: smooth(curve.y, smoothing), faint: false })) : [];
  return [...raw.filter((line) => line.faint), ...raw.filter((line) => !line.faint), ...smoothed];
}

function options(
  element: HTMLElement,
  name: string,
  lines: readonly Line[],
  looks: Record<string, Look>,
  latest: { current: { view: View } },
  onHover: (at: number | null) => void,
): uPlot.Options {
  const { axis: along, logarithmic } = latest.current.view;
  const style = getComputedStyle(element);
  const color = (token: string): string => style.getPropertyValue(token).trim();
  const font = `12px ${style.fontFamily}`;
  const axis: uPlot.Axis = { stroke: color("--dim"), font, grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      sync: { key: "job", scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      bind: {
        dblclick: () => () => {
          latest.current.view.onZoom(null);
          return null;
        },
      },
    },
    scales: {
      x: { time: false, range: () => latest.current.view.range },
      y: logarithmic ? { distr: 3, range: (_, min, max) => (min == null || min === max ? [(min ?? 1) / 2, (max ?? 1) * 2] : uPlot.rangeLog(min, max, 10, false)) } : { range: (_, min, max) => uPlot.rangeNum(min, max, 0.08, true) },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 30, ...(along === "time" ? { space: 90, incrs: SPANS, values: (_, ticks) => ticks.map(duration) } : { space: 60, incrs: WHOLE, values: (_, ticks) => ticks.map((tick) => number(tick)) }) },
      { ...axis, size: 58, values: (_, ticks) => tickTexts(name, ticks, logarithmic) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        stroke: color(looks[line.name]!.color),
        alpha: line.lost !== null ? LOST : line.faint ? FAINT : 1,
        width: line.faint ? 1.5 : 2,
        dash: line.lost !== null ? [3, 4] : looks[line.name]!.dash,
        spanGaps: true,
        points: { show: (plot: uPlot) => !line.faint && plot.data[0].length < 40, size: 5, fill: color(looks[line.name]!.color) },
      })),
    ],
    hooks: {
      setCursor: [(plot) => onHover(plot.cursor.idx == null ? null : (plot.data[0][plot.cursor.idx] ?? null))],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const range: Range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.view.onZoom(range);
        },
      ],
    },
  };
}

/** Seconds, minutes, hours and days by which a clock is read. */
const SPANS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, ...[1, 2, 5, 10, 20, 50].map((days) => days * 86400)];
/** Epochs and steps have no halves. */
const WHOLE = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

export function valueText(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined || !name.startsWith("system/")) return metric(name, value);
  return /mem|rss/.test(name) ? bytes(value) : percent(value);
}

export function placeText(axis: Axis, at: number): string {
  const t = words().charts;
  if (axis === "time") return t.atTime({ time: duration(at) });
  const n = Math.round(at * 10) / 10;
  return axis === "step" ? t.atStep({ n }) : t.atEpoch({ n });
}

const tiny = (tick: number): boolean => tick !== 0 && Math.abs(tick) < 1e-3;

/** All of an axis in one notation; a logarithmic one spans several, and leaves ticks without a text. */
function tickTexts(name: string, ticks: (number | null)[], logarithmic: boolean): string[] {
  const short = ticks.map((tick) => (tick === null ? null : Number(tick.toPrecision(3))));
  const anyTiny = short.some((tick) => tick !== null && tiny(tick));
  return short.map((tick) => {
    if (tick === null) return "";
    if (name.startsWith("system/")) return valueText(name, tick);
    if (isRatio(name)) return words().unit.percent({ n: number(tick * 100, { maximumSignificantDigits: 3 }) });
    return (logarithmic ? tiny(tick) : anyTiny && tick !== 0) ? tick.toExponential() : number(tick, { maximumSignificantDigits: 3 });
  });
}
