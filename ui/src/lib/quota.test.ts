import { expect, test } from "vitest";
import { fromForm, isUsedUp, toForm } from "./quota";

const USED = { datasets: 3, storage_bytes: 5, gpu_seconds: null, running: 0 };
const NONE = { datasets: null, storage_bytes: null, gpu_seconds: null, running: null };
const EMPTY = { datasets: "", storage_bytes: "", gpu_seconds: "", running: "" };
const of = (limits: Partial<Record<keyof typeof NONE, number>>) => ({ ...NONE, ...limits, used: USED });

test("limits are written in GB and hours, and read so", () => {
  const form = toForm(of({ datasets: 10, storage_bytes: 1.5e9, gpu_seconds: 7200 }));
  expect(form).toEqual({ datasets: "10", storage_bytes: "1.5", gpu_seconds: "2", running: "" });
  expect(fromForm({ ...EMPTY, storage_bytes: "0,25", gpu_seconds: " 3 ", running: "2" }, of({}))).toEqual({
    quota: { datasets: null, storage_bytes: 250_000_000, gpu_seconds: 10_800, running: 2 },
    wrong: [],
  });
});

test("a limit of a few bytes is not written as none at all", () => expect(toForm(of({ storage_bytes: 500 })).storage_bytes).toBe("0.0000005"));

test("what was not touched keeps its number to the last byte", () => {
  const before = of({ storage_bytes: 1_234_567_891 });
  expect(fromForm({ ...toForm(before), running: "1" }, before).quota.storage_bytes).toBe(1_234_567_891);
});

test("an emptied field is no limit, and nought is one", () => {
  const { quota } = fromForm({ ...EMPTY, running: "0" }, of({ datasets: 4 }));
  expect(quota).toEqual({ ...NONE, running: 0 });
});

test.each([
  ["datasets", "1.5"],
  ["datasets", "99999999999"],
  ["running", "-1"],
  ["storage_bytes", "much"],
  ["gpu_seconds", "1e3"],
  ["storage_bytes", "99999999999"],
])("%s of %s is refused", (limit, typed) => {
  expect(fromForm({ ...EMPTY, [limit]: typed }, of({})).wrong).toEqual([limit]);
});

test("used up is what has a limit and has reached it; what is not counted never is", () => {
  expect(isUsedUp(of({ datasets: 3 }), "datasets")).toBe(true);
  expect(isUsedUp(of({ datasets: 4 }), "datasets")).toBe(false);
  expect(isUsedUp(of({ gpu_seconds: 0 }), "gpu_seconds")).toBe(false);
  expect(isUsedUp(of({}), "storage_bytes")).toBe(false);
});
