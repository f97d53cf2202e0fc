import { expect, test } from "vitest";
import type { Schemas } from "../api/client";
import { problemsOf } from "./system";

const NOW = Date.parse("2026-05-04T12:00:00Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const job = (seconds: number) => ({ id: "1", name: "a training", since: ago(seconds) });
const FINE: Schemas["SystemHealth"] = {
  version: "1",
  started_at: ago(60),
  execution_mode: "subprocess",
  storage_type: "local",
  data_dir: "/data",
  memory_bytes: 1,
  parts: { database: { ok: true, message: "", seconds: 0.01 } },
  database: { kind: "sqlite", size_bytes: 1, revision: "0001" },
  disk: { free_bytes: 500e9, total_bytes: 1000e9, refused_below_bytes: 1e9 },
  slots: { total: 1, used: 1, gpus: 0 },
  jobs: {},
  oldest_waiting: job(7200),
  longest_silent: job(20),
  silence_seconds: 300,
  trainers: [],
  imports: { running: 0, waiting: 0, at_once: 2 },
  uploads: 0,
  watchers: 0,
  last_sweep_seconds: 1,
  sweep_seconds: 2,
  frameworks: [{ framework: "timm", status: "ready", message: "" }],
  failures: [],
};
const kinds = (change: Partial<Schemas["SystemHealth"]>): string[] => problemsOf({ ...FINE, ...change }, NOW).map((problem) => problem.kind);

test("who waits while all slots are in use, and is heard of, is no problem", () => expect(kinds({})).toEqual([]));

test.each<[string, Partial<Schemas["SystemHealth"]>]>([
  ["part", { parts: { redis: { ok: false, message: "TimeoutError", seconds: 2 } } }],
  ["slow", { parts: { storage: { ok: true, message: "", seconds: 1 } } }],
  ["disk_full", { disk: { free_bytes: 9e8, total_bytes: 1000e9, refused_below_bytes: 1e9 } }],
  ["disk_low", { disk: { free_bytes: 20e9, total_bytes: 1000e9, refused_below_bytes: 1e9 } }],
  ["no_slots", { slots: { total: 0, used: 0, gpus: 0 } }],
  ["not_started", { slots: { total: 2, used: 1, gpus: 0 } }],
  ["silent", { longest_silent: job(90) }],
  ["silent", { longest_silent: job(20), silence_seconds: 10 }],
  ["framework", { frameworks: [{ framework: "timm", status: "error", message: "it does not answer" }] }],
  ["failures", { failures: [{ id: "1", kind: "dataset_import", dataset_id: null, dataset_name: null, error: null, ended_at: ago(5) }] }],
])("%s is noticed", (kind, change) => expect(kinds(change)).toEqual([kind]));

test("what stops everything comes before what is slow", () => {
  expect(kinds({ parts: { storage: { ok: true, message: "", seconds: 1 }, database: { ok: false, message: "", seconds: 2 } } })).toEqual(["part", "slow"]);
});
