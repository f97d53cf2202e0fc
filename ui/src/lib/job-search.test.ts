import { expect, test } from "vitest";
import { isShown, readJobSearch, toggled } from "./job-search";

test("what an address says is read, and the rest left out", () => {
  const whole = { view: "log", x: "time", smooth: 0.6, log: true, lost: true, hide: ["val/loss"], from: 2, to: 9, true: 3, q: "epoch", level: ["error"], line: 7, last: 9 };
  expect(readJobSearch(whole)).toEqual({ ...whole, true: "3" });
});

test.each<[Record<string, unknown>]>([
  [{ view: "elsewhere", x: "epoch", smooth: "much", log: "yes" }],
  [{ from: 5 }],
  [{ from: 5, to: 5 }],
  [{ from: "1", to: "2" }],
  [{ hide: "val/loss", show: [], level: ["loud"] }],
  [{ level: ["debug", "info", "warning", "error"] }],
  [{ line: 0, last: 4 }],
  [{ line: -3 }],
  [{ smooth: -1 }],
])("%j says nothing", (search) => expect(readJobSearch(search)).toEqual({}));

test("what is out of bounds is brought within them", () => {
  expect(readJobSearch({ smooth: 7 }).smooth).toBe(0.99);
  expect(readJobSearch({ line: 5, last: 3 })).toEqual({ line: 5 });
  expect(readJobSearch({ hide: Array.from({ length: 999 }, (_, i) => `m${i}`) }).hide).toHaveLength(200);
});

test("a curve that is toggled twice leaves no trace", () => {
  const hidden = toggled({}, "val/loss", true);
  expect(hidden).toEqual({ hide: ["val/loss"] });
  expect(isShown(hidden, "val/loss", true)).toBe(false);
  expect(toggled(hidden, "val/loss", true)).toEqual({ hide: undefined });
  const shown = toggled({}, "rare", false);
  expect(shown).toEqual({ show: ["rare"] });
  expect([isShown({}, "rare", false), isShown(shown, "rare", false)]).toEqual([false, true]);
});
