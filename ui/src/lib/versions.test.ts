import { expect, test } from "vitest";
import { changesSince } from "./versions";

const version = (train: number, val: number, ...names: string[]) => ({ image_count: train + val, train_count: train, val_count: val, classes: names.map((name) => ({ name, total: 1, train: 1, val: 0 })) });

test("counts and classes are compared", () =>
  expect(changesSince(version(80, 20, "bolt", "nut"), version(90, 15, "nut", "washer"))).toEqual({ images: 5, train: 10, val: -5, added: ["washer"], removed: ["bolt"] }));
