import { expect, test } from "vitest";
import { roughly } from "./estimate";

test.each([
  [{ low: 470, likely: 730, high: 1_210 }, "12 min", "8–20"],
  [{ low: 4.6, likely: 8.2, high: 12.4 }, "8 s", "5–12"],
  [{ low: 30, likely: 95, high: 300 }, "1.6 min", "0.5–5"],
  [{ low: 3_000, likely: 7_200, high: 20_000 }, "2 h", "0.8–6"],
  [{ low: 100_000, likely: 300_000, high: 900_000 }, "3 d", "1.2–10"],
  [{ low: 0, likely: 0, high: 0 }, "0 s", "0–0"],
])("%o is said in one unit", (span, likely, range) => {
  expect(roughly(span)).toEqual({ likely, range });
});
