import { expect, test } from "vitest";
import { extend, NOTHING, toggle } from "./selection";

const ORDER = ["a", "b", "c", "d", "e"];

test("a row is chosen and let go", () => {
  const one = toggle(NOTHING, "b");
  expect([...one.chosen]).toEqual(["b"]);
  expect([...toggle(one, "b").chosen]).toEqual([]);
});

test.each([["d", ["b", "c", "d"]], ["a", ["a", "b"]]])("a range goes from the row touched last to %s", (to, chosen) => {
  expect([...extend(toggle(NOTHING, "b"), ORDER, to).chosen].toSorted()).toEqual(chosen);
});

test("a range keeps its beginning and what was chosen elsewhere", () => {
  const far = toggle(toggle(NOTHING, "e"), "b");
  const longer = extend(extend(far, ORDER, "c"), ORDER, "a");
  expect([...longer.chosen].toSorted()).toEqual(["a", "b", "c", "e"]);
});

test("where its beginning is not listed any more, a range is one row", () => {
  expect([...extend({ chosen: new Set(), anchor: "gone" }, ORDER, "c").chosen]).toEqual(["c"]);
});
