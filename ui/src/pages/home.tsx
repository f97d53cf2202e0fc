import "./home.css";
import { Link } from "@tanstack/react-router";
import { $api, ENDED } from "../api/client";
import { Chat } from "../components/Chat";
import { DraftCard } from "../components/DraftCard";
import { Frameworks } from "../components/Frameworks";
import { JobRow } from "../components/JobRow";
import { Failure, Skeleton } from "../components/states";
import { useNow, useTitle } from "../lib/hooks";
import { useConversation } from "../live/use-conversation";

const JOBS_SHOWN = 5;

/** The chat beside what it fills in and what it started. */
export function HomePage() {
  useTitle("");
  const conversation = useConversation();
  return (
    <>
      <h1 className="visually-hidden">Home</h1>
      <div className="home">
        <Chat conversation={conversation} />
        <div className="stack">
          {conversation.draft && <DraftCard draft={conversation.draft} missing={conversation.missing} busy={conversation.busy} onStart={() => conversation.say("yes")} />}
          <RecentJobs />
          <FrameworkStates />
        </div>
      </div>
    </>
  );
}

function RecentJobs() {
  const jobs = $api.useQuery("get", "/api/v1/training/jobs", { params: { query: { limit: JOBS_SHOWN } } }, {
    refetchInterval: (query) => (query.state.data?.items.some((j) => !ENDED.includes(j.state)) ? 1_500 : 8_000),
  });
  const items = jobs.data?.items ?? [];
  const running = items.filter((job) => !ENDED.includes(job.state));
  const now = useNow(running.length > 0);
  return (
    <section className="panel" aria-label="Jobs">
      <div className="panel-title">
        <h2>{running.length > 0 ? "Running now" : "Latest jobs"}</h2>
        <Link to="/jobs" className="small">
          All jobs
        </Link>
      </div>
      {jobs.isPending && <Skeleton height={64} />}
      {jobs.isError && <Failure error={jobs.error} retry={() => void jobs.refetch()} />}
      {jobs.isSuccess && items.length === 0 && <p className="dim small">Trainings show here as soon as one is started.</p>}
      <ul className="job-list">
        {(running.length > 0 ? running : items.slice(0, 3)).map((job) => (
          <li key={job.id}>
            <JobRow job={job} now={now} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function FrameworkStates() {
  const models = $api.useQuery("get", "/api/v1/models", {}, {
    refetchInterval: (query) => (query.state.data?.items.some((f) => f.status === "installing") ? 3_000 : 60_000),
  });
  if (models.isError) return <Failure error={models.error} retry={() => void models.refetch()} />;
  if (!models.data) return <Skeleton height={140} />;
  return <Frameworks frameworks={models.data.items} />;
}
