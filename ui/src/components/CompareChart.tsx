import "./LiveChart.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import { isRatio, metric } from "../lib/format";
import { aligned } from "../live/compare";
import type { MetricRow } from "../live/job";
import { words } from "../words";
import { number } from "../words/locale";

const HEIGHT = 320;
/** From here on a colour is dashed as well. */
const SOLID = 4;

/** The line a job has in every part of a comparison. */
export function Swatch({ at }: { at: number }) {
  const color = `var(--many-${at + 1})`;
  return <i className="swatch" style={{ background: at < SOLID ? color : `repeating-linear-gradient(90deg, ${color} 0 5px, transparent 5px 8px)` }} aria-hidden="true" />;
}

type Line = { id: string; name: string; rows: readonly MetricRow[] };

/** One metric of several jobs by epoch. The key shows the values under the pointer, else each one's last. */
export function CompareChart({ lines, name, label }: { lines: readonly Line[]; name: string; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme("light");
  const [hovered, setHovered] = useState<number | null>(null);
  const data = useMemo(() => aligned(lines.map((line) => line.rows), name), [lines, name]);

  useEffect(() => {
    const element = box.current!;
    const plot = new uPlot(options(element, lines.length, name, setHovered), [[]], element);
    drawn.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
      drawn.current = null;
    };
  }, [lines.length, name, scheme]);
  useEffect(() => {
    drawn.current?.setData(data as uPlot.AlignedData);
    box.current!.dataset.points = String(data[0].length);
  }, [data, lines.length, name, scheme]);

  const valueOf = (i: number): number | null => (hovered === null ? (data[i + 1] as (number | null)[]).findLast((v) => v !== null) : data[i + 1]![hovered]) ?? null;
  return (
    <div className="stack-s">
      <span className="compare-keys">
        {lines.map((line, i) => (
          <span key={line.id} className="compare-key">
            <Swatch at={i} />
            <span className="clip">{line.name}</span>
            <b>{metric(name, valueOf(i))}</b>
          </span>
        ))}
      </span>
      <div ref={box} className="compare-plot" data-testid="compare-chart" role="img" aria-label={label} />
    </div>
  );
}

function options(element: HTMLElement, lines: number, name: string, onHover: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (token: string): string => style.getPropertyValue(token).trim();
  const axis: uPlot.Axis = { stroke: color("--dim"), font: `12px ${style.fontFamily}`, grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false, range: (_, min, max) => [Math.min(1, min ?? 1), Math.max(2, max ?? 2)] }, y: { range: (_, min, max) => uPlot.rangeNum(min ?? 0, max ?? 1, 0.08, true) } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 50, size: 30 },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => (isRatio(name) ? words().unit.percent({ n: number(tick * 100, { maximumFractionDigits: 1 }) }) : metric(name, Number(tick.toPrecision(3))))) },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, i) => ({
        stroke: color(`--many-${i + 1}`),
        width: i === 0 ? 3 : 2,
        ...(i >= SOLID && { dash: [7, 4] }),
        spanGaps: true,
        points: { show: (plot: uPlot) => plot.data[0].length < 40, size: 5, fill: color(`--many-${i + 1}`) },
      })),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  };
}
