/** The request that starts the same job once more, as a script would send it. No token stands in it. */
import type { Schemas } from "../api/client";

export const TOKEN = "VISIONAI_TOKEN";

type Job = Pick<Schemas["Job"], "dataset_id" | "dataset_version_id" | "task_type" | "framework" | "model_name" | "config" | "name" | "project_id" | "priority" | "policy">;

/** What is not said is as the server has it. */
export function requestOf(job: Job): Record<string, unknown> {
  const policy = Object.fromEntries(Object.entries(job.policy).filter(([, value]) => value != null));
  return {
    name: job.name,
    project_id: job.project_id,
    dataset_id: job.dataset_id,
    dataset_version: job.dataset_version_id,
    task_type: job.task_type,
    framework: job.framework,
    model_name: job.model_name,
    config: job.config,
    ...(job.priority !== "normal" && { priority: job.priority }),
    ...(Object.keys(policy).length > 0 && { policy }),
  };
}

export function curlOf(job: Job, origin: string): string {
  return [
    `curl --fail-with-body ${origin}/api/v1/training/jobs \\`,
    `  -H "Authorization: Bearer $${TOKEN}" \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d ${shell(JSON.stringify(requestOf(job), null, 2))}`,
  ].join("\n");
}

export function pythonOf(job: Job, origin: string): string {
  return [
    "import json",
    "import os",
    "import urllib.request",
    "",
    `job = json.loads(${python(JSON.stringify(requestOf(job), null, 2))})`,
    "request = urllib.request.Request(",
    `    ${JSON.stringify(`${origin}/api/v1/training/jobs`)},`,
    "    data=json.dumps(job).encode(),",
    `    headers={"Authorization": f"Bearer {os.environ['${TOKEN}']}", "Content-Type": "application/json"},`,
    ")",
    "with urllib.request.urlopen(request) as answer:",
    '    print(json.load(answer)["id"])',
  ].join("\n");
}

/** In single quotes a shell reads nothing but what stands there. */
const shell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A raw text in three quotes of the kind that JSON never has three of. */
const python = (text: string): string => (text.includes("'''") || text.endsWith("'") ? JSON.stringify(text) : `r'''${text}'''`);
