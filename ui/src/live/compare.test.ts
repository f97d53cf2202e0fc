import { expect, test } from "vitest";
import type { Schemas } from "../api/client";
import { fieldsOf } from "../lib/schema";
import { aligned, changeOf, differing, metricNames } from "./compare";
import type { MetricRow } from "./job";

const row = (epoch: number, metrics: MetricRow["metrics"]): MetricRow => ({ kind: "epoch", epoch, step: null, attempt: 1, time: "", metrics, superseded: false });
const job = (config: Record<string, unknown>, best: string | null = null, framework = "timm") =>
  ({ framework, config, best: best && { name: best, value: 1, mode: "max", epoch: 1 } }) as unknown as Schemas["Job"];

test("curves of different lengths share their epochs", () => {
  const short = [row(1, { a: 1 }), row(2, { a: Number.NaN })];
  const resumed = [row(2, { a: 5 }), row(3, { a: 6, b: 1 })];
  expect(aligned([short, resumed], "a")).toEqual([[1, 2, 3], [1, null, null], [null, 5, 6]]);
});

test("what the first is judged by comes first, if there are rows of it", () => {
  const rows = [[row(1, { lr: 1, "val/accuracy": 0.5 })], [row(1, { "val/loss": 2 })]];
  expect(metricNames([job({}, "val/accuracy"), job({}, "val/f1")], rows)).toEqual(["val/accuracy", "lr", "val/loss"]);
});

test("only settings that differ are shown, and what was not given is the default", () => {
  const fields = fieldsOf({ properties: { epochs: { type: "integer", title: "Epochs", default: 10 }, lr: { type: "number", default: 0.1 } } });
  const found = differing([job({ epochs: 10, extra: [1] }), job({ lr: 0.5, extra: [1] })], () => fields);
  expect(found).toEqual([{ name: "lr", title: "Lr", values: [{ value: 0.1, byDefault: true }, { value: 0.5, byDefault: false }] }]);
});

test("what one framework alone knows is a difference where it was set, and none where it was not", () => {
  const fields = fieldsOf({ properties: { dropout: { type: "number", title: "Dropout", default: 0 } } });
  const of = (framework: string) => (framework === "timm" ? fields : []);
  expect(differing([job({}), job({}, null, "yolo")], of)).toEqual([]);
  expect(differing([job({ dropout: 0.2 }), job({}, null, "yolo")], of)).toEqual([{ name: "dropout", title: "Dropout", values: [{ value: 0.2, byDefault: false }, null] }]);
});

test.each([
  [0.9, 0.8, "max", true],
  [0.9, 0.8, "min", false],
  [0.8, 0.8, "min", null],
])("%d against %d, where it is to be the %s, is better: %s", (value, base, mode, better) => expect(changeOf(value, base, mode)?.better).toBe(better));

test("what is missing is no difference", () => expect([changeOf(null, 1), changeOf(1, undefined)]).toEqual([null, null]));
