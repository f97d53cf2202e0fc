import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../api/client";
import { elapsed } from "../lib/format";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { Badge, Failure, Skeleton, type Tone } from "./states";

const TONES: Record<NonNullable<Schemas["Attempt"]["outcome"]>, Tone> = { succeeded: "good", failed: "bad", stopped: "off", lost: "bad" };

/** The trainer's processes, one by one: how long each took and why it ended. */
export function Attempts({ jobId, now }: { jobId: string; now: number }) {
  const t = useWords();
  const attempts = useQuery(jobQueries.attempts(jobId));
  return (
    <section className="panel wide" aria-label={t.job.attempts}>
      <div className="panel-title">
        <h2>{t.job.attempts}</h2>
      </div>
      {attempts.isError && <Failure error={attempts.error} retry={() => void attempts.refetch()} />}
      {attempts.isPending && <Skeleton height={48} />}
      {attempts.data?.items.length === 0 && <p className="dim small">{t.job.noAttempt}</p>}
      {attempts.data && attempts.data.items.length > 0 && (
        <>
          <div className="table-scroll" tabIndex={0} role="region" aria-label={t.job.attempts}>
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{t.job.attempt}</th>
                  <th scope="col">{t.job.outcome}</th>
                  <th scope="col">{t.job.time}</th>
                  <th scope="col">{t.job.why}</th>
                  <th scope="col" className="num">
                    {t.job.exitCode}
                  </th>
                </tr>
              </thead>
              <tbody>
                {attempts.data.items.map((attempt) => (
                  <tr key={attempt.number}>
                    <td className="nowrap">
                      {attempt.number}
                      {attempt.resume_epoch != null && <span className="dim"> · {t.job.goesOnSince({ n: attempt.resume_epoch })}</span>}
                    </td>
                    <td className="nowrap">
                      <Badge tone={attempt.outcome ? TONES[attempt.outcome] : "live"}>{attempt.outcome ? t.outcomes[attempt.outcome] : t.job.atWork}</Badge>
                      {!attempt.counted && <span className="dim"> · {t.job.notCounted}</span>}
                    </td>
                    <td className="nowrap">{elapsed(attempt.launched_at ?? attempt.created_at, attempt.ended_at, now)}</td>
                    <td className="attempt-why">
                      {attempt.error?.message ?? "–"}
                      {attempt.error?.hint && <span className="dim"> {attempt.error.hint}</span>}
                    </td>
                    <td className="num mono">{attempt.exit_code ?? "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className="dim small attempts-help">{t.job.attemptsHelp}</p>
        </>
      )}
    </section>
  );
}
