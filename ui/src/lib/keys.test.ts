import { afterEach, expect, test } from "vitest";
import { shortcutOf, singleKeys } from "./keys";

afterEach(() => localStorage.clear());

const press = (key: string, more: Partial<KeyboardEvent> = {}, target: EventTarget = document.body) =>
  shortcutOf({ key, ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, ...more, target });
const input = (type: string): HTMLInputElement => Object.assign(document.createElement("input"), { type });

test("single keys and the usual one with Ctrl or ⌘", () => {
  expect([press("/"), press("?"), press("k", { ctrlKey: true }), press("K", { metaKey: true }), press("k")]).toEqual(["palette", "sheet", "palette", "palette", null]);
});

test("while one writes only the one with Ctrl counts; on a box to tick both do", () => {
  const field = document.createElement("textarea");
  expect([press("/", {}, field), press("?", {}, input("search")), press("k", { ctrlKey: true }, field), press("/", {}, input("checkbox"))]).toEqual([null, null, "palette", "palette"]);
});

test("single keys can be switched off, and on again", () => {
  singleKeys.set(false);
  expect([press("/"), press("?"), press("k", { ctrlKey: true })]).toEqual([null, null, "palette"]);
  singleKeys.set(true);
  expect(press("/")).toBe("palette");
});

test("what something else has dealt with is left alone", () => expect(press("k", { ctrlKey: true, defaultPrevented: true })).toBeNull());
