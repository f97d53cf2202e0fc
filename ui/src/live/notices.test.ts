import { afterEach, expect, test } from "vitest";
import type { Schemas } from "../api/client";
import { announce, dismiss, notices, vanished } from "./notices";

const job = (id: string) => ({ id }) as Schemas["Job"];

afterEach(() => notices.set([]));

test("each job is told of once, the latest four are kept, and one can be put away", () => {
  for (const id of ["a", "b", "c", "d", "e", "c"]) announce(job(id));
  dismiss("d");
  expect(notices.get().map((n) => n.id)).toEqual(["b", "e", "c"]);
});

test("who is at work no more has vanished; who has begun has not", () => {
  expect(vanished(new Set(["a", "b"]), [job("b"), job("c")])).toEqual(["a"]);
});
