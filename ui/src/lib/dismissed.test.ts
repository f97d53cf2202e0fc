import { afterEach, expect, test } from "vitest";
import { dismissed } from "./dismissed";

afterEach(() => localStorage.clear());

test("what was dismissed is remembered once, and not for ever", () => {
  dismissed.add(["a", "b"]);
  dismissed.add(["b", "c"]);
  expect(dismissed.all()).toEqual(["a", "b", "c"]);
  dismissed.add(Array.from({ length: 300 }, (_, i) => String(i)));
  expect([dismissed.all().length, dismissed.all().at(-1)]).toEqual([200, "299"]);
});

test.each(["{", '{"a":1}', "[1,2]"])("what something else has written there (%s) does no harm", (text) => {
  localStorage.setItem("visionai-dismissed", text);
  expect(dismissed.all()).toEqual([]);
});
