import { ActionIcon, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { $api, api, unwrap, type Schemas } from "../api/client";
import { ago } from "../lib/format";
import { dismissed } from "../lib/dismissed";
import { useNow } from "../lib/hooks";
import { useWords } from "../words";

const DAYS = 3;
const SHOWN = 3;
const ASKED = 20;
const EVERY_MS = 10_000;

/** What waits for somebody: trainings that failed lately, and data sets with errors, each with what to do. */
export function Needs() {
  const t = useWords();
  const [away, setAway] = useState(dismissed.all);
  const now = useNow(false);
  const failed = useQuery({ queryKey: ["get", "/api/v1/training/jobs", "failed"], queryFn: failedLately, refetchInterval: EVERY_MS });
  const datasets = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: 200 } } }, { refetchInterval: EVERY_MS });
  const jobs = (failed.data?.items ?? []).filter((job) => !away.includes(job.id));
  // A newer version of a data set may have errors of its own.
  const wrong = (datasets.data?.items ?? []).filter((d) => errorsOf(d) && !away.includes(keyOf(d)));
  if (jobs.length + wrong.length === 0) return null;
  const keys = [...jobs.map((job) => job.id), ...wrong.map(keyOf)];
  const dismiss = (ids: string[]): void => setAway(dismissed.add(ids));
  return (
    <section className="panel needs" aria-label={t.needs.title}>
      <div className="panel-title">
        <h2>{t.needs.title}</h2>
        {keys.length > 1 && (
          <Button size="compact-xs" variant="subtle" onClick={() => dismiss(keys)}>
            {t.needs.dismissAll}
          </Button>
        )}
      </div>
      {jobs.length > 0 && (
        <>
          <h3 className="dim">{t.needs.failed}</h3>
          <ul>
            {jobs.slice(0, SHOWN).map((job) => (
              <Need
                key={job.id}
                name={
                  <Link to="/jobs/$jobId" params={{ jobId: job.id }} className="need-name">
                    {job.name}
                  </Link>
                }
                onDismiss={() => dismiss([job.id])}
                label={t.needs.dismiss({ name: job.name })}
                why={job.error?.message ?? job.state_reason}
                hint={job.error?.hint}
              >
                <span className="dim">{ago(job.ended_at ?? job.created_at, now)} · </span>
                <Link to="/train" search={{ from: job.id } as never}>
                  {t.needs.trainAgain}
                </Link>
                {" · "}
                <Link to="/jobs/$jobId" params={{ jobId: job.id }} search={{ view: "log" } as never}>
                  {t.needs.look}
                </Link>
              </Need>
            ))}
          </ul>
          {jobs.length > SHOWN && (
            <p className="small">
              <Link to="/jobs" search={{ state: "failed" } as never}>
                {t.needs.more({ n: jobs.length - SHOWN })}
              </Link>
            </p>
          )}
        </>
      )}
      {wrong.length > 0 && (
        <>
          <h3 className="dim needs-next">{t.needs.datasets}</h3>
          <ul>
            {wrong.slice(0, SHOWN).map((dataset) => (
              <Need
                key={dataset.id}
                name={
                  <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} className="need-name">
                    {dataset.name}
                  </Link>
                }
                onDismiss={() => dismiss([keyOf(dataset)])}
                label={t.needs.dismiss({ name: dataset.name })}
                why={dataset.error?.message ?? t.needs.faults({ n: errorsOf(dataset) })}
                hint={dataset.error?.hint}
              >
                <Link to="/datasets/$datasetId" params={{ datasetId: dataset.id }} search={{ view: "faults" } as never}>
                  {t.needs.mend}
                </Link>
              </Need>
            ))}
          </ul>
          {wrong.length > SHOWN && (
            <p className="small">
              <Link to="/datasets">{t.needs.more({ n: wrong.length - SHOWN })}</Link>
            </p>
          )}
        </>
      )}
    </section>
  );
}

type NeedProps = { name: ReactNode; why: string; hint?: string | null | undefined; label: string; onDismiss: () => void; children: ReactNode };

function Need({ name, why, hint, label, onDismiss, children }: NeedProps) {
  return (
    <li className="need">
      {name}
      <ActionIcon className="need-away" variant="subtle" aria-label={label} title={label} onClick={onDismiss}>
        <X size={16} />
      </ActionIcon>
      {why && <p>{why}</p>}
      {hint && <p className="dim">{hint}</p>}
      <p>{children}</p>
    </li>
  );
}

const keyOf = (dataset: Schemas["Dataset"]): string => `${dataset.id}/${dataset.version?.number ?? 0}`;

const errorsOf = (dataset: Schemas["Dataset"]): number => (dataset.status === "error" ? 1 : 0);

const failedLately = () =>
  unwrap(
    api.GET("/api/v1/training/jobs", {
      params: { query: { state: ["failed"], limit: ASKED, created_after: new Date(Date.now() - DAYS * 86_400_000).toISOString() } },
    }),
  );
