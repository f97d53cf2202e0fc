import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curlOf, pythonOf, requestOf } from "./repeat";

const job = {
  dataset_id: "d",
  dataset_version_id: "v",
  task_type: "classification",
  framework: "timm",
  model_name: "resnet18",
  config: { epochs: 3, note: `it's "$HOME" \\ \`date\` '''` },
  name: "Ada's job; rm -rf /",
  project_id: "p",
  priority: "normal",
  policy: { max_retries: null, time_limit_seconds: 60 },
} as const;

test("the request has what was set, and nothing that was left to the server", () => {
  expect(requestOf(job as never)).toEqual({
    name: job.name, project_id: "p", dataset_id: "d", dataset_version: "v", task_type: "classification", framework: "timm",
    model_name: "resnet18", config: job.config, policy: { time_limit_seconds: 60 },
  });
  expect(requestOf({ ...job, priority: "high", policy: {} } as never)).toMatchObject({ priority: "high" });
});

test("a shell sends exactly this body, whatever quotes stand in it", () => {
  const script = `curl() { printf '%s' "\${@: -1}"; }\n${curlOf(job as never, "http://127.0.0.1:8000")}`;
  expect(JSON.parse(execFileSync("bash", ["-c", script], { encoding: "utf8" }))).toEqual(requestOf(job as never));
});

test("no token stands in either", () => {
  for (const text of [curlOf(job as never, "http://h"), pythonOf(job as never, "http://h")]) {
    expect(text).toContain("VISIONAI_TOKEN");
    expect(text).not.toMatch(/eyJ|vai_/);
  }
});

test.each([job, { ...job, config: {} }])("Python reads the same", (given) => {
  const [, literal] = /json\.loads\(([\s\S]*?)\)\nrequest = /.exec(pythonOf(given as never, "http://h"))!;
  const read = execFileSync("python3", ["-c", `import json, sys; json.dump(json.loads(${literal!}), sys.stdout)`], { encoding: "utf8" });
  expect(JSON.parse(read)).toEqual(requestOf(given as never));
});
