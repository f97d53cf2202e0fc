import { expect, test, vi } from "vitest";
import { frameBuffer } from "./frames";

test("many values in a frame are drawn once, the last of them", async () => {
  const draw = vi.fn();
  const buffer = frameBuffer(draw);
  for (let i = 0; i <= 100; i++) buffer.put(i);
  expect(draw).not.toHaveBeenCalled();
  await new Promise(requestAnimationFrame);
  expect(draw.mock.calls).toEqual([[100]]);
});

test("what was cancelled is not drawn", async () => {
  const draw = vi.fn();
  const buffer = frameBuffer(draw);
  buffer.put(1);
  buffer.cancel();
  await new Promise(requestAnimationFrame);
  expect(draw).not.toHaveBeenCalled();
});
