import type { Schemas } from "../api/client";
import { $api } from "../api/client";
import { dateTime, duration } from "../lib/format";
import { fieldsOf, said } from "../lib/schema";

/** Everything the job was started with, and the ids that logs and scripts ask for. */
export function JobSettings({ job }: { job: Schemas["Job"] }) {
  const config = Object.entries(job.config);
  const server = $api.useQuery("get", "/api/v1/training/policy", {}, { staleTime: 60_000 }).data;
  const frameworks = $api.useQuery("get", "/api/v1/models", {}, { staleTime: 60_000 }).data?.items;
  const fields = fieldsOf(frameworks?.find((f) => f.framework === job.framework)?.schema ?? {});
  const shown = (name: string, given: unknown): string => {
    const field = fields.find((f) => f.name === name);
    return given === null && field ? field.empty : said(given);
  };
  const facts: [string, string][] = [
    ["Task", job.task_type.replaceAll("_", " ")],
    ["Framework", job.framework],
    ["Model", job.model_name],
    ["Data set", job.dataset_name],
    ["Version", job.dataset_version_id],
    ["Priority", job.priority],
    ["Attempt", String(job.attempt)],
    ["Tries after a loss", limit(job.policy.max_retries, server?.max_retries, String)],
    ["Trained for", duration(job.run_seconds)],
    ["Time limit", job.policy.time_limit_seconds == null ? "none" : duration(job.policy.time_limit_seconds)],
    ["Silence limit", limit(job.policy.silence_seconds, server?.silence_seconds, duration)],
    ["Checkpoints kept", ["last", "best", ...(job.policy.keep_every == null ? [] : [`every ${job.policy.keep_every} epochs`])].join(", ")],
    ["Created", `${dateTime(job.created_at)} by ${job.created_by.name}`],
    ["Started", job.started_at ? dateTime(job.started_at) : "–"],
    ["Ended", job.ended_at ? dateTime(job.ended_at) : "–"],
    ["Job id", job.id],
    ["Trace id", job.trace_id],
  ];
  return (
    <div className="job-charts">
      <section className="panel" aria-label="Hyperparameters">
        <div className="panel-title">
          <h2>Hyperparameters</h2>
        </div>
        {config.length === 0 ? (
          <p className="dim small">The framework&apos;s own defaults.</p>
        ) : (
          <dl className="facts">
            {config.map(([name, given]) => (
              <Fact key={name} name={name} value={shown(name, given)} />
            ))}
          </dl>
        )}
      </section>
      <section className="panel" aria-label="Job">
        <div className="panel-title">
          <h2>Job</h2>
        </div>
        <dl className="facts">
          {facts.map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </section>
    </div>
  );
}

type Limit = number | null | undefined;

const limit = (own: Limit, servers: Limit, say: (n: number) => string): string =>
  own != null ? say(own) : servers != null ? `${say(servers)}, the server's` : "the server's";

const Fact = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd className="mono">{value}</dd>
  </>
);
