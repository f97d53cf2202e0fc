import { beforeEach, expect, test } from "vitest";
import { concerns, watched } from "./watched";

const job = { id: "j", project_id: "p", created_by: { id: "ada", name: "Ada" } };

beforeEach(watched.forget);

test("one's own jobs concern one, another's when it or its project is watched", () => {
  expect(concerns(job, "ada", watched.get())).toBe(true);
  expect(concerns(job, "bob", watched.get())).toBe(false);
  watched.put("jobs", "j", true);
  expect(concerns(job, "bob", watched.get())).toBe(true);
  watched.put("jobs", "j", false);
  watched.put("projects", "p", true);
  expect(concerns(job, "bob", watched.get())).toBe(true);
});

test("what is watched is kept by the browser, each once and the latest of it, until one signs out", () => {
  for (let n = 0; n < 60; n++) watched.put("jobs", String(n % 55), true);
  expect(watched.get().jobs).toHaveLength(50);
  expect(JSON.parse(localStorage.getItem("visionai-watched")!).jobs).toEqual(watched.get().jobs);
  watched.forget();
  expect(localStorage.getItem("visionai-watched")).toBeNull();
  expect(watched.get()).toEqual({ jobs: [], projects: [] });
});
