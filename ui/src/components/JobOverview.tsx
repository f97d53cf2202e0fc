import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Pin as PinIcon } from "lucide-react";
import { useMemo, useState } from "react";
import { api, ENDED, unwrap, type Schemas } from "../api/client";
import { bytes, metric, metricShort } from "../lib/format";
import { useMayEdit } from "../lib/projects";
import { WAITING, type MetricRow } from "../live/job";
import { jobQueries } from "../live/use-job";
import { titled, useWords, words } from "../words";
import { Charts } from "./Charts";
import { Failure, Skeleton } from "./states";
import { Timeline } from "./Timeline";

const NO_ROWS: MetricRow[] = [];
/** So many epochs and metrics are in the table before one asks for more. */
const EPOCHS = 200;
const COLUMNS = 24;

export function JobOverview({ job, now }: { job: Schemas["Job"]; now: number }) {
  const t = useWords().job;
  const mayPin = useMayEdit(job.project_id);
  const metrics = useQuery(jobQueries.metrics(job.id));
  const rows = metrics.data?.items ?? NO_ROWS;
  const ended = ENDED.includes(job.state);
  return (
    <div className="job-grid">
      <div className="job-charts">
        {metrics.isError && <Failure error={metrics.error} retry={() => void metrics.refetch()} />}
        {metrics.isPending && <Skeleton height={290} label={t.loadingCurves} />}
        {metrics.isSuccess && ended && rows.length === 0 && (
          <p className="panel dim">{job.started_at ? t.noCurves : t.neverStarted}</p>
        )}
        {metrics.isSuccess && WAITING.includes(job.state) && rows.length === 0 && <p className="panel dim">{t.notBegunYet}</p>}
        {metrics.isSuccess && !((ended || WAITING.includes(job.state)) && rows.length === 0) && (
          <>
            <Charts job={job} rows={rows} />
            <Epochs rows={rows} best={job.best?.epoch} />
          </>
        )}
      </div>
      <div className="stack">
        <section className="panel" aria-label={t.steps}>
          <div className="panel-title">
            <h2>{t.steps}</h2>
          </div>
          <Timeline jobId={job.id} ended={ended} now={now} />
        </section>
        <Artifacts jobId={job.id} mayPin={mayPin} ended={ended} />
      </div>
    </div>
  );
}

function Epochs({ rows, best }: { rows: MetricRow[]; best: number | undefined }) {
  const t = useWords().job;
  const [every, setEvery] = useState(false);
  const names = useMemo(() => [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))].slice(0, every ? undefined : COLUMNS), [rows, every]);
  const shown = every ? rows : rows.slice(-EPOCHS);
  return (
    <section className="panel wide" aria-label={t.epochs}>
      <div className="panel-title">
        <h2>{t.epochs}</h2>
        <span className="small dim">{t.newestFirst}</span>
      </div>
      {rows.length === 0 ? (
        <p className="dim small">{t.noneFinished}</p>
      ) : (
        <div className="table-scroll epochs" tabIndex={0} role="region" aria-label={t.tableOfEpochs}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t.epoch}</th>
                {names.map((name) => (
                  <th key={name} scope="col" className="num">
                    {metricShort(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.toReversed().map((row) => (
                <tr key={row.epoch}>
                  <td className="nowrap">
                    {row.epoch}
                    {row.epoch === best && <strong>{` · ${t.isBest}`}</strong>}
                  </td>
                  {names.map((name) => (
                    <td key={name} className="num">
                      {metric(name, row.metrics[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {shown.length < rows.length && (
            <button type="button" className="chip" onClick={() => setEvery(true)}>
              {t.everyEpoch({ n: rows.length })}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

/** In the order people look for them. */
const ORDER = ["model", "onnx", "checkpoint_best", "checkpoint_last", "samples", "predictions", "report"];

const byKind = (a: Schemas["Artifact"], b: Schemas["Artifact"]): number => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);

const kindOf = (artifact: Schemas["Artifact"]): string => titled(words().artifacts, artifact.kind) ?? artifact.name;

function Artifacts({ jobId, mayPin, ended }: { jobId: string; mayPin: boolean; ended: boolean }) {
  const t = useWords().files;
  const artifacts = useQuery(jobQueries.artifacts(jobId));
  return (
    <section className="panel" aria-label={t.title}>
      <div className="panel-title">
        <h2>{t.title}</h2>
      </div>
      {artifacts.isError && <Failure error={artifacts.error} retry={() => void artifacts.refetch()} />}
      {artifacts.isPending && <Skeleton height={48} />}
      {artifacts.data?.items.length === 0 && <p className="dim small">{ended ? t.none : t.noneYet}</p>}
      <ul>
        {artifacts.data?.items.toSorted(byKind).map((artifact, i, all) => (
          <li key={artifact.id} className="artifact">
            <div className="grow">
              <div className="clip" title={artifact.name}>
                {artifact.kind.startsWith("checkpoint") && all[i - 1]?.kind === artifact.kind ? t.earlier : kindOf(artifact)}
              </div>
              <div className="dim break">
                {artifact.name} · {bytes(artifact.size)}
                {artifact.epoch ? ` · ${t.epoch({ n: artifact.epoch })}` : ""}
              </div>
            </div>
            {mayPin && <Pin artifact={artifact} jobId={jobId} />}
            <Button component="a" href={artifact.download_url} download={artifact.name} variant="default" size="xs" leftSection={<Download size={14} aria-hidden />} aria-label={t.downloadOf({ name: kindOf(artifact) })}>
              {t.download}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A checkpoint would give way to later ones; a pinned one stays as long as the job. */
function Pin({ artifact, jobId }: { artifact: Schemas["Artifact"]; jobId: string }) {
  const t = useWords().files;
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => unwrap(api.PATCH("/api/v1/artifacts/{artifact_id}", { params: { path: { artifact_id: artifact.id } }, body: { pinned: !artifact.pinned } })),
    onSettled: () => client.invalidateQueries({ queryKey: jobQueries.artifacts(jobId).queryKey }),
  });
  if (!artifact.kind.startsWith("checkpoint")) return null;
  const says = artifact.pinned ? t.pinned : t.pin;
  return (
    <ActionIcon variant={artifact.pinned ? "filled" : "default"} size="md" aria-pressed={artifact.pinned} aria-label={`${says} (${artifact.name})`} title={says} loading={change.isPending} onClick={() => change.mutate()}>
      <PinIcon size={14} aria-hidden />
    </ActionIcon>
  );
}
