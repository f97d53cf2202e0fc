import { expect, test } from "vitest";
import { readDatasetSearch, readImageSearch, toggledClass } from "./dataset-search";

test("what an address says is taken, and nothing else", () => {
  expect(readDatasetSearch({ view: "faults", class: 5, split: "val", at: 700, boxes: false })).toEqual({ view: "faults", class: "5", split: "val", at: 700, boxes: false });
  expect(readDatasetSearch({ view: "x", class: "", split: "test", at: -1, boxes: true })).toEqual({});
  expect(readDatasetSearch({ at: 1.5 })).toEqual({});
  expect(readImageSearch({ class: "a", hide: ["b", "b", 7, null], at: 9 })).toEqual({ class: "a", hide: ["b", "7"] });
  expect(readImageSearch({ hide: "b" })).toEqual({});
});

test("a class is hidden and shown again", () => {
  expect(toggledClass(undefined, "a")).toEqual(["a"]);
  expect(toggledClass(["a", "b"], "a")).toEqual(["b"]);
  expect(toggledClass(["a"], "a")).toBeUndefined();
});
