import type { Schemas } from "../api/client";
import { $api } from "../api/client";
import { count, dateTime, duration } from "../lib/format";
import { defaultsOf, differences, fieldsOf, said } from "../lib/schema";
import { useWords, type Words } from "../words";
import { Attempts } from "./Attempts";
import { Repeat } from "./Repeat";

/** Everything the job was started with, and the ids that logs and scripts ask for. */
export function JobSettings({ job, now }: { job: Schemas["Job"]; now: number }) {
  const t = useWords();
  const config = Object.entries(job.config);
  const server = $api.useQuery("get", "/api/v1/training/policy", {}, { staleTime: 60_000 }).data;
  const frameworks = $api.useQuery("get", "/api/v1/models", {}, { staleTime: 60_000 }).data?.items;
  const fields = fieldsOf(frameworks?.find((f) => f.framework === job.framework)?.schema ?? {}, t);
  const shown = (name: string, given: unknown): string => {
    const field = fields.find((f) => f.name === name);
    return given === null && field ? field.empty : said(given);
  };
  const different = differences(fields, { ...defaultsOf(fields), ...job.config });
  const changed = new Map(fields.filter((f) => f.name in different).map((f) => [f.name, f.default]));
  const facts: [string, string][] = [
    [t.task, t.tasks[job.task_type]],
    [t.framework, job.framework],
    [t.model, job.model_name],
    [t.dataset, job.dataset_name],
    [t.settings.version, job.dataset_version_id],
    [t.settings.priority, t.priorities[job.priority]],
    [t.settings.attempt, count(job.attempt)],
    [t.settings.retries, limit(job.policy.max_retries, server?.max_retries, count, t)],
    [t.settings.trainedFor, duration(job.run_seconds)],
    [t.settings.timeLimit, job.policy.time_limit_seconds == null ? t.settings.noLimit : duration(job.policy.time_limit_seconds)],
    [t.settings.silenceLimit, limit(job.policy.silence_seconds, server?.silence_seconds, duration, t)],
    [t.settings.checkpoints, t.settings.kept({ every: job.policy.keep_every })],
    [t.settings.created, t.settings.createdBy({ time: dateTime(job.created_at), name: job.created_by.name })],
    [t.settings.started, job.started_at ? dateTime(job.started_at) : "–"],
    [t.settings.ended, job.ended_at ? dateTime(job.ended_at) : "–"],
    [t.settings.jobId, job.id],
    [t.settings.traceId, job.trace_id],
  ];
  return (
    <div className="job-charts job-settings">
      <section className="panel" aria-label={t.settings.hyperparameters}>
        <div className="panel-title">
          <h2>{t.settings.hyperparameters}</h2>
        </div>
        {config.length === 0 ? (
          <p className="dim small">{t.settings.defaults}</p>
        ) : (
          <dl className="facts">
            {config.map(([name, given]) => (
              <Fact key={name} name={name} value={shown(name, given)} standard={changed.has(name) ? shown(name, changed.get(name)) : undefined} />
            ))}
          </dl>
        )}
      </section>
      <section className="panel" aria-label={t.job.title}>
        <div className="panel-title">
          <h2>{t.job.title}</h2>
        </div>
        <dl className="facts">
          {facts.map(([name, value]) => (
            <Fact key={name} name={name} value={value} />
          ))}
        </dl>
      </section>
      <Attempts jobId={job.id} now={now} />
      <Repeat job={job} />
    </div>
  );
}

type Limit = number | null | undefined;

const limit = (own: Limit, servers: Limit, say: (n: number) => string, t: Words): string =>
  own != null ? say(own) : servers != null ? t.settings.serversValue({ value: say(servers) }) : t.settings.servers;

/** With what it would be by default, where it differs. */
function Fact({ name, value, standard }: { name: string; value: string; standard?: string | undefined }) {
  const t = useWords().settings;
  return (
    <>
      <dt>{name}</dt>
      <dd className="mono">
        {standard === undefined ? (
          value
        ) : (
          <>
            <strong title={t.changed}>{value}</strong> <span className="dim">{t.defaultIs({ value: standard })}</span>
          </>
        )}
      </dd>
    </>
  );
}
