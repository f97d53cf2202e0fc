import { expect, test } from "vitest";
import { fitted, moved, zoomed } from "./zoom";

const stage = { width: 800, height: 600 };
const image = { width: 1600, height: 600 };

test("an image is shown whole, and in the middle", () => {
  expect(fitted(stage, image)).toEqual({ scale: 0.5, x: 0, y: 150 });
  expect(fitted(stage, { width: 8, height: 8 })).toEqual({ scale: 75, x: 100, y: 0 });
});

test("what is under the pointer stays there", () => {
  const at = { x: 500, y: 300 };
  const view = zoomed(fitted(stage, image), 4, at, stage, image);
  expect(view.scale).toBe(2);
  expect([(at.x - view.x) / view.scale, (at.y - view.y) / view.scale]).toEqual([1000, 300]);
});

test("it goes neither farther than whole or its own size, nor closer than its pixels are seen", () => {
  const whole = fitted(stage, image);
  expect(zoomed(whole, 0.01, { x: 0, y: 0 }, stage, image)).toEqual(whole);
  expect(zoomed(whole, 1e6, { x: 0, y: 0 }, stage, image).scale).toBe(32);
  const tiny = { width: 8, height: 8 };
  expect(zoomed(fitted(stage, tiny), 1e-6, { x: 0, y: 0 }, stage, tiny).scale).toBe(1);
  expect(zoomed(fitted(stage, tiny), 1e6, { x: 0, y: 0 }, stage, tiny).scale).toBe(600);
});

test("it is not dragged off its stage", () => {
  const near = zoomed(fitted(stage, image), 4, { x: 400, y: 300 }, stage, image);
  expect(moved(near, { x: 1e6, y: -1e6 }, stage, image)).toEqual({ scale: 2, x: 0, y: 600 - 1200 });
  const whole = fitted(stage, image);
  expect(moved(whole, { x: 50, y: 50 }, stage, image)).toEqual(whole);
});
