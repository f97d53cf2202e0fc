import { expect, test } from "vitest";
import { eachOf } from "./bulk";

test("one that is refused keeps none of the others from it, and says why", async () => {
  const outcome = await eachOf([1, 2, 3, 4, 5], async (n) => {
    if (n % 2 === 0) throw { status: 409, detail: `${n} is at work` };
  });
  expect(outcome).toEqual({ done: [1, 3, 5], refused: [{ item: 2, why: "2 is at work" }, { item: 4, why: "4 is at work" }] });
});

test("no more than so many are under way at once", async () => {
  let [now, most] = [0, 0];
  await eachOf(Array.from({ length: 20 }, (_, i) => i), async () => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now -= 1;
  }, 3);
  expect(most).toBe(3);
});
