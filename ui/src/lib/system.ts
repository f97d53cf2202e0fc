/** What is wrong with the server, out of what it says of itself: the worst first. */
import type { Schemas } from "../api/client";

type System = Schemas["SystemHealth"];

export type SystemProblem =
  | { kind: "part"; part: string; message: string }
  | { kind: "slow"; part: string; seconds: number }
  | { kind: "disk_full" | "disk_low"; free: number; kept: number }
  | { kind: "no_slots" }
  | { kind: "not_started"; job: Schemas["JobSince"]; seconds: number }
  | { kind: "silent"; job: Schemas["JobSince"]; seconds: number; limit: number }
  | { kind: "framework"; name: string; message: string }
  | { kind: "failures"; n: number };

const SLOW_SECONDS = 0.5;
const WAITED_SECONDS = 120;
const SILENT_SECONDS = 60;
/** Low is less than so many times what is kept, or less than this share of the disk. */
const LOW_TIMES = 4;
const LOW_SHARE = 0.03;

export function problemsOf(system: System, now: number): SystemProblem[] {
  const { disk, slots, oldest_waiting: waiting, longest_silent: silent } = system;
  const found: SystemProblem[] = [];
  const parts = Object.entries(system.parts);
  const ago = (time: string): number => (now - Date.parse(time)) / 1000;
  const room = { free: disk.free_bytes, kept: disk.refused_below_bytes };
  for (const [part, { ok, message }] of parts) if (!ok) found.push({ kind: "part", part, message });
  if (disk.free_bytes < disk.refused_below_bytes) found.push({ kind: "disk_full", ...room });
  else if (disk.free_bytes < Math.max(LOW_TIMES * disk.refused_below_bytes, LOW_SHARE * disk.total_bytes)) found.push({ kind: "disk_low", ...room });
  if (slots.total === 0) found.push({ kind: "no_slots" });
  if (silent && ago(silent.since) > Math.min(SILENT_SECONDS, system.silence_seconds)) found.push({ kind: "silent", job: silent, seconds: ago(silent.since), limit: system.silence_seconds });
  if (waiting && slots.used < slots.total && ago(waiting.since) > WAITED_SECONDS) found.push({ kind: "not_started", job: waiting, seconds: ago(waiting.since) });
  for (const { framework: name, status, message } of system.frameworks) if (status === "error" || status === "absent") found.push({ kind: "framework", name, message });
  for (const [part, { ok, seconds }] of parts) if (ok && seconds > SLOW_SECONDS) found.push({ kind: "slow", part, seconds });
  if (system.failures.length > 0) found.push({ kind: "failures", n: system.failures.length });
  return found;
}
