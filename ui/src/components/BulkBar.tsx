import { ActionIcon, Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { api, ENDED, queryClient, unwrap, type Schemas } from "../api/client";
import { eachOf } from "../lib/bulk";
import { MOST_COMPARED } from "../lib/search";
import { NOTHING, type Selection } from "../lib/selection";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { AskButton } from "./AskButton";
import { Callout } from "./states";

type Job = Schemas["Job"];
type Result = { said: string; refused: { id: string; name: string; why: string }[] };
type Props = { chosen: ReadonlySet<string>; jobs: Job[]; onSelect: (selection: Selection) => void; onDone: () => void };

const path = (id: string) => ({ params: { path: { job_id: id } } });

/** What can be done with the jobs chosen, and what came of it: those that were refused stay chosen. */
export function BulkBar({ chosen, jobs, onSelect, onDone }: Props) {
  const t = useWords();
  const navigate = useNavigate();
  const [result, setResult] = useState<Result | null>(null);
  const listed = (id: string): Job | undefined => jobs.find((job) => job.id === id);

  async function all(work: (id: string) => Promise<unknown>, say: (counted: { n: number }) => string): Promise<void> {
    const { done, refused } = await eachOf([...chosen], work);
    setResult({ said: say({ n: done.length }), refused: refused.map(({ item, why }) => ({ id: item, name: listed(item)?.name ?? item, why })) });
    onSelect({ chosen: new Set(refused.map((r) => r.item)), anchor: null });
    onDone();
  }

  async function stop(id: string): Promise<void> {
    // One that no longer passes the filter is chosen still.
    const job = listed(id) ?? (await queryClient.fetchQuery(jobQueries.job(id)));
    if (ENDED.includes(job.state)) throw { status: 409, detail: t.bulk.hadEnded };
    await unwrap(api.POST("/api/v1/training/jobs/{job_id}/cancel", path(id)));
  }

  const compared = [...chosen];
  const cannot = compared.length < 2 ? t.bulk.tooFew : compared.length > MOST_COMPARED ? t.bulk.tooMany({ most: MOST_COMPARED, n: compared.length }) : null;
  if (result === null && chosen.size === 0) return null;
  return (
    <div className="bulk-place stack-s">
      {result && (
        <Callout
          tone={result.refused.length ? "bad" : "lamp"}
          title={result.said}
          action={
            <ActionIcon variant="subtle" aria-label={t.bulk.dismiss} onClick={() => setResult(null)}>
              <X size={16} />
            </ActionIcon>
          }
        >
          {result.refused.length > 0 && (
            <>
              <p>{t.bulk.refused({ n: result.refused.length })}</p>
              <ul className="small bulk-refused">
                {result.refused.map(({ id, name, why }) => (
                  <li key={id}>
                    <Link to="/jobs/$jobId" params={{ jobId: id }}>
                      {name}
                    </Link>
                    {": "}
                    {why}
                  </li>
                ))}
              </ul>
            </>
          )}
        </Callout>
      )}
      {chosen.size > 0 && (
        <section className="bulk" aria-label={t.bulk.label}>
          <strong role="status">{t.bulk.chosen({ n: chosen.size })}</strong>
          <Button disabled={cannot !== null} onClick={() => void navigate({ to: "/compare", search: { jobs: compared.join(",") } })}>
            {t.bulk.compare}
          </Button>
          <AskButton label={t.bulk.stop} title={t.bulk.stopTitle({ n: chosen.size })} confirm={t.bulk.stopThem} dismiss={t.bulk.letThemRun} danger onConfirm={() => all(stop, t.bulk.stopped)}>
                <p className="dim">{t.bulk.stopHelp}</p>
              </AskButton>
              <AskButton
                label={t.delete}
                title={t.bulk.deleteTitle({ n: chosen.size })}
                confirm={t.bulk.deleteThem}
                dismiss={t.bulk.keepThem}
                danger
                onConfirm={() => all((id) => unwrap(api.DELETE("/api/v1/training/jobs/{job_id}", path(id))), t.bulk.deleted)}
              >
                <p className="dim">{t.bulk.deleteHelp}</p>
              </AskButton>
          <Button variant="subtle" onClick={() => onSelect(NOTHING)}>
            {t.bulk.clear}
          </Button>
          {cannot && <span className="small dim">{cannot}</span>}
        </section>
      )}
    </div>
  );
}
