import "./states.css";
import { Button } from "@mantine/core";
import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useTitle } from "../lib/hooks";

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

export const jobTone = (job: Schemas["Job"]): Tone => JOB_STATES[job.state];

export const Badge = ({ tone, children }: { tone: Tone; children: ReactNode }) => (
  <span className="badge" data-tone={tone}>
    {children}
  </span>
);

export function JobBadge({ job }: { job: Schemas["Job"] }) {
  const cancelling = job.cancel_requested && JOB_STATES[job.state] !== "off" && JOB_STATES[job.state] !== "bad";
  return <Badge tone={jobTone(job)}>{cancelling && job.state !== "completed" ? "cancelling" : job.state}</Badge>;
}

export const DatasetBadge = ({ status }: { status: Schemas["Dataset"]["status"] }) => <Badge tone={DATASET_STATES[status]}>{status}</Badge>;

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
export const Skeleton = ({ height, label = "Loading" }: { height: number | string; label?: string }) => (
  <div className="skeleton pulse" style={{ height }} role="status" aria-label={label} />
);

/** A request that failed, with the way on. What isn't there (404) is a page of its own. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = problemOf(error);
  if (problem.status === 404) return <NotFound what={problem.detail} />;
  return (
    <Callout
      tone="bad"
      title={problem.status === 0 ? "No answer from the server" : "This did not work"}
      action={
        retry && (
          <Button variant="default" size="xs" onClick={retry}>
            Try again
          </Button>
        )
      }
    >
      <p>{problem.detail}</p>
    </Callout>
  );
}

export function NotFound({ what = "There is no page at this address." }: { what?: string }) {
  useTitle("Not found");
  return (
    <Empty
      title="Nothing here"
      heading="h1"
      action={
        <Button component="a" href="/" variant="default">
          Go home
        </Button>
      }
    >
      <p>{what}</p>
    </Empty>
  );
}
