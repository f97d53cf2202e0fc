import { expect, test } from "vitest";
import { nextOrder, sortClasses } from "./sort-classes";

const rows = [
  { class: "10", precision: 0.5, recall: null, support: 3 },
  { class: "9", precision: 0.25, recall: 1, support: 7 },
  { class: "b", precision: null, recall: 0.5, support: 1 },
];
const order = (...by: Parameters<typeof sortClasses> extends [unknown, ...infer Rest] ? Rest : never) => sortClasses(rows, ...by).map((row) => row.class);

test("without a column classes stand as in the data set, by name as people count", () => {
  expect(order(undefined, false)).toEqual(["10", "9", "b"]);
  expect(order("class", false)).toEqual(["9", "10", "b"]);
});

test("what is not defined comes last, up and down", () => {
  expect(order("precision", false)).toEqual(["9", "10", "b"]);
  expect(order("precision", true)).toEqual(["10", "9", "b"]);
  expect(order("recall", true)).toEqual(["9", "b", "10"]);
  expect(order("images", true)).toEqual(["9", "10", "b"]);
});

test("a heading orders, turns round and lets go", () => {
  const first = nextOrder("recall", "class", true);
  const second = nextOrder("recall", first.sort, first.down === true);
  expect([first, second, nextOrder("recall", second.sort, second.down === true)]).toEqual([
    { sort: "recall", down: undefined },
    { sort: "recall", down: true },
    { sort: undefined, down: undefined },
  ]);
});
