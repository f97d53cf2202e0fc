import "./LiveChart.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { isRatio, metric, metricTitle } from "../lib/format";
import { columns, frameBuffer, type Columns } from "../live/columns";
import type { MetricRow } from "../live/job";
import { useWords, words } from "../words";
import { number } from "../words/locale";

const HEIGHT = 220;
/** Training is blue and validation amber in every chart. */
const COLORS: Record<string, string> = {
  "val/loss": "--series-2",
  "val/accuracy": "--series-2",
  "val/top5_accuracy": "--series-3",
  "val/f1": "--series-4",
};
const colorOf = (name: string): string => COLORS[name] ?? "--series-1";

type Props = { title: string; names: readonly string[]; rows: readonly MetricRow[]; total: number | null | undefined };

/** Metrics by epoch, redrawn at most once a frame. The key shows the value under the pointer, else the last one. */
export function LiveChart({ title, names, rows, total }: Props) {
  const t = useWords().job;
  const shown = names.filter((name) => rows.some((row) => row.metrics[name] !== undefined));
  const [hovered, setHovered] = useState<number | null>(null);
  const at = hovered === null ? rows.at(-1) : rows[hovered];
  return (
    <figure className="panel" aria-label={title}>
      <figcaption className="chart-title">
        <h2>{title}</h2>
        <span className="chart-key">
          {shown.map((name) => (
            <span key={name}>
              <i style={{ background: `var(${colorOf(name)})` }} />
              {metricTitle(name)}
              <b>{metric(name, at?.metrics[name])}</b>
            </span>
          ))}
        </span>
      </figcaption>
      {rows.length === 0 ? (
        <div className="chart-plot">
          <span className="chart-wait">{t.noEpochYet}</span>
        </div>
      ) : (
        <Plot names={shown} rows={rows} total={total} onHover={setHovered} />
      )}
    </figure>
  );
}

function Plot({ names, rows, total, onHover }: Omit<Props, "title"> & { onHover: (index: number | null) => void }) {
  const t = useWords();
  const box = useRef<HTMLDivElement>(null);
  const buffer = useRef<{ put: (data: Columns) => void } | null>(null);
  const scheme = useComputedColorScheme("light");
  const key = names.join(" ");
  const last = Math.max(total ?? 0, rows.at(-1)?.epoch ?? 1, 2);
  const data = useMemo(() => columns(rows, key.split(" ")), [rows, key]);

  useEffect(() => {
    const element = box.current!;
    const plot = new uPlot(options(element, key.split(" "), last, onHover), [[]], element);
    const frames = frameBuffer<Columns>((next) => {
      plot.setData(next as uPlot.AlignedData);
      element.dataset.points = String(next[0].length);
    });
    buffer.current = frames;
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      frames.cancel();
      resize.disconnect();
      plot.destroy();
    };
  }, [key, last, scheme, t, onHover]);
  useEffect(() => buffer.current?.put(data), [data, last, scheme, t]);

  return <div ref={box} className="chart-plot" data-testid="chart" role="img" aria-label={t.job.chart({ n: rows.length })} />;
}

function options(element: HTMLElement, names: string[], last: number, onHover: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const axis: uPlot.Axis = { stroke: color("--dim"), font, grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false, range: [1, last] }, y: { range: (_, min, max) => uPlot.rangeNum(min, max, 0.08, true) } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 50, size: 30 },
      { ...axis, size: 58, values: (_, ticks) => tickTexts(names[0] ?? "", ticks) },
    ],
    series: [
      {},
      ...names.map((name) => ({
        label: name,
        stroke: color(colorOf(name)),
        width: 2,
        spanGaps: true,
        points: { show: (plot: uPlot) => plot.data[0].length < 40, size: 5, fill: color(colorOf(name)) },
      })),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  };
}

/** All of an axis in one notation. */
function tickTexts(name: string, ticks: number[]): string[] {
  if (isRatio(name)) return ticks.map((tick) => words().unit.percent({ n: number(tick * 100, { maximumFractionDigits: 1 }) }));
  const short = ticks.map((tick) => Number(tick.toPrecision(3)));
  const small = short.some((tick) => tick !== 0 && Math.abs(tick) < 1e-3);
  return short.map((tick) => (small && tick !== 0 ? tick.toExponential() : number(tick, { maximumSignificantDigits: 3 })));
}
