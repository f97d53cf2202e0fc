import { expect, test, vi } from "vitest";
import { columns, frameBuffer } from "./columns";
import type { MetricRow } from "./job";

const row = (epoch: number, metrics: MetricRow["metrics"]): MetricRow => ({ kind: "epoch", epoch, step: null, attempt: 1, time: "", metrics, superseded: false });

test("each name becomes a column as long as the epochs, with null for what is missing or not finite", () => {
  const rows = [row(1, { a: 1, b: 2 }), row(2, { a: null }), row(3, { a: 3, b: Number.NaN })];
  expect(columns(rows, ["a", "b", "c"])).toEqual([
    [1, 2, 3],
    [1, null, 3],
    [2, null, null],
    [null, null, null],
  ]);
});

test("many values in a frame are drawn once, the last of them", async () => {
  const draw = vi.fn();
  const buffer = frameBuffer(draw);
  for (let i = 0; i <= 100; i++) buffer.put(i);
  expect(draw).not.toHaveBeenCalled();
  await new Promise(requestAnimationFrame);
  expect(draw.mock.calls).toEqual([[100]]);
});

test("what was cancelled is not drawn", async () => {
  const draw = vi.fn();
  const buffer = frameBuffer(draw);
  buffer.put(1);
  buffer.cancel();
  await new Promise(requestAnimationFrame);
  expect(draw).not.toHaveBeenCalled();
});
