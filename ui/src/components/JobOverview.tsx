import { ActionIcon, Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Pin as PinIcon } from "lucide-react";
import { api, ENDED, unwrap, type Schemas } from "../api/client";
import { bytes, metric, metricShort } from "../lib/format";
import type { MetricRow } from "../live/job";
import { jobQueries } from "../live/use-job";
import { LiveChart } from "./LiveChart";
import { Failure, Skeleton } from "./states";
import { Timeline } from "./Timeline";

const LOSS = ["train/loss", "val/loss"];
/** What counts most is drawn last, on top. */
const QUALITY = ["val/top5_accuracy", "val/f1", "val/accuracy"];
const RATE = ["lr"];

export function JobOverview({ job, now }: { job: Schemas["Job"]; now: number }) {
  const metrics = useQuery(jobQueries.metrics(job.id));
  const rows = metrics.data?.items ?? [];
  const ended = ENDED.includes(job.state);
  return (
    <div className="job-grid">
      <div className="job-charts">
        {metrics.isError && <Failure error={metrics.error} retry={() => void metrics.refetch()} />}
        {metrics.isPending && <Skeleton height={290} label="Loading the curves" />}
        {metrics.isSuccess && ended && rows.length === 0 && (
          <p className="panel dim">{job.started_at ? "It ended before its first epoch did, so there are no curves." : "It ended before it was started, so there are no curves."}</p>
        )}
        {metrics.isSuccess && !(ended && rows.length === 0) && (
          <>
            <LiveChart title="Loss" names={LOSS} rows={rows} total={job.total_epochs} />
            <LiveChart title="Accuracy" names={QUALITY} rows={rows} total={job.total_epochs} />
            <LiveChart title="Learning rate" names={RATE} rows={rows} total={job.total_epochs} />
            <Epochs rows={rows} best={job.best?.epoch} />
          </>
        )}
      </div>
      <div className="stack">
        <section className="panel" aria-label="Steps">
          <div className="panel-title">
            <h2>Steps</h2>
          </div>
          <Timeline jobId={job.id} ended={ended} now={now} />
        </section>
        <Artifacts jobId={job.id} ended={ended} />
      </div>
    </div>
  );
}

function Epochs({ rows, best }: { rows: MetricRow[]; best: number | undefined }) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  return (
    <section className="panel" aria-label="Epochs">
      <div className="panel-title">
        <h2>Epochs</h2>
        <span className="small dim">the newest first</span>
      </div>
      {rows.length === 0 ? (
        <p className="dim small">None is finished yet.</p>
      ) : (
        <div className="table-scroll epochs" tabIndex={0} role="region" aria-label="Table of epochs">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Epoch</th>
                {names.map((name) => (
                  <th key={name} scope="col" className="num">
                    {metricShort(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.toReversed().map((row) => (
                <tr key={row.epoch}>
                  <td className="nowrap">
                    {row.epoch}
                    {row.epoch === best && <strong> · best</strong>}
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
        </div>
      )}
    </section>
  );
}

/** In the order people look for them. */
const KINDS: Record<string, string> = {
  model: "Model",
  onnx: "ONNX",
  checkpoint_best: "Best checkpoint",
  checkpoint_last: "Last checkpoint",
  samples: "Samples",
  predictions: "Predictions",
  report: "Report",
};
const ORDER = Object.keys(KINDS);

const byKind = (a: Schemas["Artifact"], b: Schemas["Artifact"]): number => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);

function Artifacts({ jobId, ended }: { jobId: string; ended: boolean }) {
  const artifacts = useQuery(jobQueries.artifacts(jobId));
  return (
    <section className="panel" aria-label="Files">
      <div className="panel-title">
        <h2>Files</h2>
      </div>
      {artifacts.isError && <Failure error={artifacts.error} retry={() => void artifacts.refetch()} />}
      {artifacts.isPending && <Skeleton height={48} />}
      {artifacts.data?.items.length === 0 && <p className="dim small">{ended ? "It saved none." : "Checkpoints stand here as soon as the first one is saved."}</p>}
      <ul>
        {artifacts.data?.items.toSorted(byKind).map((artifact, i, all) => (
          <li key={artifact.id} className="artifact">
            <div className="grow">
              <div className="clip" title={artifact.name}>
                {artifact.kind.startsWith("checkpoint") && all[i - 1]?.kind === artifact.kind ? "Earlier checkpoint" : (KINDS[artifact.kind] ?? artifact.name)}
              </div>
              <div className="dim break">
                {artifact.name} · {bytes(artifact.size)}
                {artifact.epoch ? ` · epoch ${artifact.epoch}` : ""}
              </div>
            </div>
            <Pin artifact={artifact} jobId={jobId} />
            <Button component="a" href={artifact.download_url} download={artifact.name} variant="default" size="xs" leftSection={<Download size={14} aria-hidden />} aria-label={`Download ${KINDS[artifact.kind] ?? artifact.name}`}>
              Download
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A checkpoint would give way to later ones; a pinned one stays as long as the job. */
function Pin({ artifact, jobId }: { artifact: Schemas["Artifact"]; jobId: string }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => unwrap(api.PATCH("/api/v1/artifacts/{artifact_id}", { params: { path: { artifact_id: artifact.id } }, body: { pinned: !artifact.pinned } })),
    onSettled: () => client.invalidateQueries({ queryKey: jobQueries.artifacts(jobId).queryKey }),
  });
  if (!artifact.kind.startsWith("checkpoint")) return null;
  const says = artifact.pinned ? "Pinned: kept until the job is deleted. Let it go" : "Pin: keep it, whatever comes after it";
  return (
    <ActionIcon variant={artifact.pinned ? "filled" : "default"} size="md" aria-pressed={artifact.pinned} aria-label={`${says} (${artifact.name})`} title={says} loading={change.isPending} onClick={() => change.mutate()}>
      <PinIcon size={14} aria-hidden />
    </ActionIcon>
  );
}
