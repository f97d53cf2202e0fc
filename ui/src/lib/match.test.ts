import { expect, test } from "vitest";
import { bestFirst } from "./match";

const named = (...names: string[]) => names.map((name) => ({ name }));

test("the nearest names come first, and none that has not what is typed", () => {
  const found = bestFirst(named("retrain", "New training", "Train", "other"), " TRAIN ");
  expect(found.map((f) => f.name)).toEqual(["Train", "New training", "retrain"]);
});

test("without anything typed all are there, in their order", () => expect(bestFirst(named("b", "a"), "")).toEqual(named("b", "a")));

test("Korean is found too", () => expect(bestFirst(named("데이터셋 업로드", "새 학습"), "학습")).toEqual(named("새 학습")));
