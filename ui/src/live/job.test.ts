import { expect, test } from "vitest";
import { byTurn, patchJob, staleAfter, upsertRow, type MetricRow } from "./job";
import type { JobEvent } from "./stream";

const event = (seq: number, type: string, data: JobEvent["data"]): JobEvent => ({ seq, type, time: "2026-01-01T00:00:00Z", data });
const job = { event_seq: 5, state: "running", state_reason: "", epoch: 2, total_epochs: 9, progress: 22, eta_seconds: 70, metrics: { "val/loss": 1 } };
const patch = (e: JobEvent): unknown => patchJob(job as never, e);
const row = (epoch: number, loss: number, attempt = 1): MetricRow => ({ kind: "epoch", epoch, step: null, attempt, time: "2026-01-01T00:00:00Z", metrics: { "val/loss": loss }, superseded: false });
const epochEvent = (r: MetricRow): JobEvent => event(9, "epoch", { epoch: r.epoch, step: null, attempt: r.attempt, metrics: r.metrics });

test("progress moves the job on and keeps metrics it does not name", () => {
  const next = patch(event(6, "progress", { epoch: 3, total_epochs: 9, progress: 33, eta_seconds: 60, metrics: { lr: 0.1 } }));
  expect(next).toMatchObject({ event_seq: 6, epoch: 3, progress: 33, eta_seconds: 60, metrics: { "val/loss": 1, lr: 0.1 } });
});

test("an event the snapshot already holds changes nothing", () => {
  expect(patch(event(5, "state", { state: "starting", reason: "" }))).toBe(job);
});

test("what runs comes before what starts, and that before what waits, by its place in the queue", () => {
  const [queued3, starting, queued1, pending, running] = [
    { state: "queued", queue_position: 3 },
    { state: "starting", queue_position: null },
    { state: "queued", queue_position: 1 },
    { state: "pending", queue_position: null },
    { state: "running", queue_position: null },
  ];
  const jobs = [queued3, starting, queued1, pending, running] as never[];
  expect(jobs.toSorted(byTurn)).toEqual([running, starting, queued1, queued3, pending]);
});

test("rows stay in order of epochs, and a repeated epoch replaces its row", () => {
  const rows = [row(1, 3), row(2, 2), row(4, 1)];
  expect(upsertRow(rows, epochEvent(row(3, 1.5))).map((r) => r.epoch)).toEqual([1, 2, 3, 4]);
  expect(upsertRow(rows, epochEvent(row(5, 0.5))).map((r) => r.epoch)).toEqual([1, 2, 4, 5]);
  const replaced = upsertRow(rows, epochEvent(row(2, 9, 2)));
  expect(replaced.map((r) => r.metrics["val/loss"])).toEqual([3, 9, 1]);
});

test("events name what has to be fetched again, once each", () => {
  expect(staleAfter([event(1, "log", {}), event(2, "log", {}), event(3, "progress", {})])).toEqual(new Set(["logs"]));
  expect(staleAfter([event(1, "attempt", {})])).toEqual(new Set(["job", "timeline", "metrics", "attempts"]));
});
