import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { adminEn } from "../words/admin-en";
import { adminKo } from "../words/admin-ko";
import { auditQuery, auditSearch, details, KINDS } from "./audit";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../../docs/authorisation.md"), "utf8").split("## Routes")[1]!;
const ACTIONS = [...new Set([...DOCUMENT.matchAll(/`([a-z]+\.[a-z_]+)`/g)].map((found) => found[1]!))];

test.each([["en", adminEn], ["ko", adminKo]] as const)("every action that the server records has words in %s, and a kind to be found by", (_, { audit }) => {
  expect(ACTIONS.length).toBeGreaterThan(30);
  expect(Object.keys(audit.actions).toSorted()).toEqual(ACTIONS.toSorted());
  expect(ACTIONS.filter((action) => !KINDS.some((kind) => action.startsWith(`${kind}.`)))).toEqual([]);
  expect(Object.values(audit.actions).every((said) => said.length > 1)).toBe(true);
});

test("what is no day, or nothing, is no filter", () => {
  expect(auditSearch({ since: "yesterday", until: "2026-13-45", action: "job.", person: "" })).toEqual({ action: "job." });
});

test("the last day is shown too, and days are the reader's own", () => {
  const { since, until } = auditQuery({ since: "2026-05-04", until: "2026-05-04" });
  expect(Date.parse(until!) - Date.parse(since!)).toBe(24 * 3_600_000);
  expect(new Date(since!).getHours()).toBe(0);
});

test("a detail says what it was and is; ids and what is not known are left out", () => {
  expect(details({ detail: { role: { old: "reader", new: "owner" }, size: 7, parent: null, dataset: "01a20ad6-b1b8-710e-af7f-713d5e0cd98b" } })).toEqual([
    { field: "role", old: "reader", value: "owner" },
    { field: "size", value: 7 },
  ]);
});
