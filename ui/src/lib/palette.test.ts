import { expect, test } from "vitest";
import { looks } from "./palette";

test("training is blue and validation amber, wherever they stand", () => {
  const look = looks(["lr", "val/loss", "train/loss"]);
  expect([look["train/loss"]!.color, look["val/loss"]!.color, look["lr"]!.color]).toEqual(["--series-1", "--series-2", "--series-3"]);
  expect(looks(["val/f1", "val/accuracy"])["val/accuracy"]!.color).toBe("--series-2");
});

test("no two curves of a chart look alike, even with more curves than colours", () => {
  const all = Object.values(looks(Array.from({ length: 24 }, (_, i) => `m${i}`)));
  expect(new Set(all.map((look) => JSON.stringify(look))).size).toBe(24);
});
