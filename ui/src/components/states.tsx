import "./states.css";
import { Button } from "@mantine/core";
import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useTitle } from "../lib/hooks";
import { useWords } from "../words";

export type Tone = "live" | "good" | "bad" | "wait" | "off";

const JOB_STATES: Record<Schemas["Job"]["state"], Tone> = {
  pending: "wait",
  validating: "wait",
  queued: "wait",
  starting: "live",
  running: "live",
  finalizing: "live",
  completed: "good",
  failed: "bad",
  cancelled: "off",
};
const DATASET_STATES: Record<Schemas["Dataset"]["status"], Tone> = { uploading: "wait", processing: "live", ready: "good", error: "bad" };

export const SEVERITY: Record<Schemas["DatasetFault"]["severity"], Tone> = { error: "bad", warning: "live", info: "off" };

export const jobTone = (job: Schemas["Job"]): Tone => JOB_STATES[job.state];

export const Badge = ({ tone, children }: { tone: Tone; children: ReactNode }) => (
  <span className="badge" data-tone={tone}>
    {children}
  </span>
);

export function JobBadge({ job }: { job: Schemas["Job"] }) {
  const t = useWords();
  const cancelling = job.cancel_requested && JOB_STATES[job.state] !== "off" && JOB_STATES[job.state] !== "bad";
  return <Badge tone={jobTone(job)}>{cancelling && job.state !== "completed" ? t.cancelling : t.jobStates[job.state]}</Badge>;
}

export function DatasetBadge({ status }: { status: Schemas["Dataset"]["status"] }) {
  const t = useWords();
  return <Badge tone={DATASET_STATES[status]}>{t.datasetStates[status]}</Badge>;
}

export function Bar({ value, label, tone = "live" }: { value: number; label: string; tone?: Tone }) {
  const percent = Math.min(100, Math.max(0, value));
  return (
    <div className="bar" data-tone={tone} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(percent)}>
      <div style={{ transform: `scaleX(${percent / 100})` }} />
    </div>
  );
}

export function Callout({ tone, title, children, action }: { tone?: "bad" | "lamp"; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="callout" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      {tone === "bad" ? <CircleAlert size={18} aria-hidden /> : <Info size={18} aria-hidden />}
      <div className="stack-s">
        <strong>{title}</strong>
        {children}
      </div>
      {action}
    </div>
  );
}

type EmptyProps = { title: string; heading?: "h1" | "h2"; children?: ReactNode; action?: ReactNode };

export function Empty({ title, heading: Heading = "h2", children, action }: EmptyProps) {
  return (
    <div className="empty">
      <Heading>{title}</Heading>
      {children}
      {action && <div className="act">{action}</div>}
    </div>
  );
}

/** Holds the place of what is being fetched, at its size. */
export function Skeleton({ height, label }: { height: number | string; label?: string }) {
  const t = useWords();
  return <div className="skeleton pulse" style={{ height }} role="status" aria-label={label ?? t.loading} />;
}

/** A request that failed, with the way on. What isn't there (404) is a page of its own. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useWords();
  const problem = problemOf(error);
  if (problem.status === 404) return <NotFound what={problem.detail} />;
  return (
    <Callout
      tone="bad"
      title={problem.status === 0 ? t.problem.noAnswer : problem.status === 403 ? t.problem.forbidden : t.problem.failed}
      action={
        retry && (
          <Button variant="default" size="xs" onClick={retry}>
            {t.tryAgain}
          </Button>
        )
      }
    >
      <p>{problem.detail}</p>
    </Callout>
  );
}

export function NotFound({ what }: { what?: string }) {
  const t = useWords().notFound;
  useTitle(t.title);
  return (
    <Empty
      title={t.nothing}
      heading="h1"
      action={
        <Button component="a" href="/" variant="default">
          {t.goHome}
        </Button>
      }
    >
      <p>{what ?? t.noPage}</p>
    </Empty>
  );
}
