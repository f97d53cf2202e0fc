import { expect, test } from "vitest";
import { csvOf, curvesOf, decimate, extent, groups, joined, moved, smooth, valueAt, type Row } from "./curves";

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const row = (epoch: number, metrics: Row["metrics"], more: Partial<Row> = {}): Row => ({ kind: "epoch", epoch, step: epoch * 10, time: at(epoch), attempt: 1, metrics, superseded: false, ...more });
const begun = { created_at: at(0), started_at: at(0.5) };
const wave = (n: number) => ({ x: Array.from({ length: n }, (_, i) => i), y: Array.from({ length: n }, (_, i) => Math.sin(i / 50)) });

test("metrics are grouped by what they are, whatever a trainer calls them", () => {
  const names = ["val/accuracy", "lr", "grad_norm", "val/loss", "train/box_loss", "metrics/mAP50", "system/rss", "system/cpu", "lr/pg0", "slr"];
  expect(groups(names)).toEqual([
    ["loss", ["train/box_loss", "val/loss"]],
    ["quality", ["val/accuracy", "metrics/mAP50"]],
    ["rate", ["lr", "lr/pg0"]],
    ["of grad_norm", ["grad_norm"]],
    ["of slr", ["slr"]],
    ["load", ["system/cpu"]],
    ["memory", ["system/rss"]],
  ]);
});

test("a curve has the points of its name; what is not finite is a gap", () => {
  const rows = [row(1, { a: 1, b: 2 }), row(2, { a: null }), row(3, { a: 3, b: Number.NaN })];
  expect(curvesOf(rows, "epoch", begun)).toEqual([
    { name: "a", lost: null, x: [1, 2, 3], y: [1, null, 3] },
    { name: "b", lost: null, x: [1, 3], y: [2, null] },
  ]);
  expect(curvesOf(rows, "step", begun)[0]!.x).toEqual([10, 20, 30]);
  expect(curvesOf(rows, "time", begun)[0]!.x).toEqual([0.5, 1.5, 2.5]);
});

test("what lost attempts had reported is a curve of its own", () => {
  const rows = [row(1, { a: 1 }), row(2, { a: 9 }, { superseded: true }), row(2, { a: 2 }, { attempt: 2 })];
  expect(curvesOf(rows, "epoch", begun).map((c) => [c.lost, c.x, c.y])).toEqual([
    [null, [1, 2], [1, 2]],
    [1, [2], [9]],
  ]);
});

test("by step and by time a metric that has steps is drawn by them alone, by epoch without them", () => {
  const rows = [row(1, { a: 1, b: 1 }), row(1, { a: 5 }, { kind: "step", step: 4 }), row(1, { a: 6 }, { kind: "step", step: 2 })];
  expect(curvesOf(rows, "step", begun).map((c) => [c.name, c.x, c.y])).toEqual([
    ["b", [10], [1]],
    ["a", [2, 4], [6, 5]],
  ]);
  expect(curvesOf(rows, "epoch", begun).map((c) => c.y)).toEqual([[1], [1]]);
});

test("the wait before a job that goes on from another takes no room on the axis of time", () => {
  const rows = [row(1, { a: 1 }, { time: at(10) }), row(2, { a: 2 }, { time: at(20) }), row(3, { a: 3 }, { time: at(1005) })];
  expect(curvesOf(rows, "time", { created_at: at(900), started_at: at(1000) })[0]!.x).toEqual([0, 10, 15]);
});

test("smoothing begins at the first value, keeps gaps, and leaves a constant as it is", () => {
  expect(smooth([4, 4, null, 4], 0.9).map((v) => v && Math.round(v * 1e9) / 1e9)).toEqual([4, 4, null, 4]);
  expect(smooth([0, 1], 0.5)).toEqual([0, 0.5 / 0.75]);
  expect(smooth([1, 5], 0)).toEqual([1, 5]);
});

test("few points are drawn as they are, with one beyond each edge", () => {
  expect(decimate(wave(10), 3, 6, 100).x).toEqual([2, 3, 4, 5, 6, 7]);
  expect(decimate(wave(10), -5, 50, 100).x).toHaveLength(10);
  expect(decimate({ x: [], y: [] }, 0, 1, 100)).toEqual({ x: [], y: [] });
});

test("of many points each pixel keeps its extremes, and no spike is lost", () => {
  const many = wave(100_000);
  many.y[54_321] = 99;
  many.y[70_000] = -99;
  const drawn = decimate(many, 0, 99_999, 800);
  expect(drawn.x.length).toBeLessThanOrEqual(4 * 801);
  expect([Math.max(...drawn.y.map(Number)), Math.min(...drawn.y.map(Number))]).toEqual([99, -99]);
  expect(drawn.x).toEqual(drawn.x.toSorted((a, b) => a - b));
  expect([drawn.x[0], drawn.x.at(-1)]).toEqual([0, 99_999]);
});

test("curves are joined over one axis", () => {
  expect(joined([{ x: [1, 3], y: [10, 30] }, { x: [2, 3], y: [200, null] }])).toEqual([[1, 2, 3], [10, null, 30], [null, 200, null]]);
});

test("the value under the pointer is the nearest point's, without one the last", () => {
  const curve = { x: [0, 10, 20], y: [1, 2, null] };
  expect([4, 6, 99, -5].map((x) => valueAt(curve, x))).toEqual([1, 2, null, 1]);
  expect(valueAt(curve, null)).toBe(2);
  expect(valueAt({ x: [], y: [] }, 1)).toBeNull();
  expect(extent([curve, { x: [], y: [] }, { x: [-4], y: [1] }])).toEqual([-4, 20]);
});

test("a range zooms about its middle and stops at the edges; as wide as everything it is none", () => {
  expect(moved([0, 100], [0, 100], { factor: 0.5 })).toEqual([25, 75]);
  expect(moved([25, 75], [0, 100], { by: 0.25 })).toEqual([37.5, 87.5]);
  expect(moved([50, 100], [0, 100], { by: 0.25 })).toEqual([50, 100]);
  expect(moved([25, 75], [0, 100], { factor: 2 })).toBeNull();
});

test("a spreadsheet gets every row, and no formula", () => {
  const rows = [row(1, { 'a,"b"': 0.5 }), row(2, { "=SUM(1)": null }, { step: null, superseded: true })];
  expect(csvOf(rows).split("\r\n")).toEqual([
    'kind,epoch,step,time,attempt,superseded,"a,""b""",\'=SUM(1)',
    `epoch,1,10,${at(1)},1,false,0.5,`,
    `epoch,2,,${at(2)},1,true,,`,
    "",
  ]);
});
