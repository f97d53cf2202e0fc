import "./Watch.css";
import { ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { $api, ENDED, queryClient, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { useUser } from "../api/session";
import { faviconOf, useFavicon } from "../lib/favicon";
import { metric, metricTitle } from "../lib/format";
import { progressOf, runningQuery } from "../live/active";
import { WAITING } from "../live/job";
import { announce, browser, dismiss, notices, vanished } from "../live/notices";
import { concerns, watched } from "../live/watched";
import { jobQueries } from "../live/use-job";
import { useWords, words } from "../words";
import { jobTone } from "./states";

type Job = Schemas["Job"];

const RUNNING_MS = 4_000;
const WAITING_MS = 10_000;
const MOST = 100;

/** On every page: how far what runs is, in the tab's mark; and a word when a job of one's own, or a watched one, ends. */
export function Watch() {
  const user = useUser();
  return user ? <Watching me={user.id} /> : null;
}

function Watching({ me }: { me: string }) {
  const t = useWords().shell;
  const navigate = useNavigate();
  const asked = useQuery({ ...runningQuery, refetchInterval: RUNNING_MS, refetchIntervalInBackground: true });
  const running = asked.data?.items;
  const beyond = useSyncExternalStore(watched.subscribe, watched.get);
  const others = beyond.projects.length > 0;
  const waiting = $api.useQuery("get", "/api/v1/training/jobs", { params: { query: { state: WAITING, ...(!others && { created_by: me }), limit: MOST } } }, { refetchInterval: WAITING_MS, refetchIntervalInBackground: true }).data?.items;
  const told = useSyncExternalStore(notices.subscribe, notices.get);
  const known = useRef(new Set<string>());

  useFavicon(running?.length ? faviconOf("running", progressOf(running)) : null);

  useEffect(() => {
    if (!running || !waiting) return;
    const followed = [...running, ...waiting].filter((job) => concerns(job, me, beyond));
    for (const id of beyond.jobs) known.current.add(id);
    for (const id of vanished(known.current, followed)) void ended(id);
    for (const job of followed) known.current.add(job.id);

    async function ended(id: string): Promise<void> {
      known.current.delete(id);
      const job = await queryClient.fetchQuery({ ...jobQueries.job(id), staleTime: 0, retry: false }).catch((error: unknown) => {
        // One that is gone, or no longer one's to see, is watched no more; after another failure it is asked for again.
        if (problemOf(error).status === 404) watched.put("jobs", id, false);
        else known.current.add(id);
      });
      if (!job || !concerns(job, me, watched.get())) return;
      if (!ENDED.includes(job.state)) {
        known.current.add(id);
        return;
      }
      watched.put("jobs", id, false);
      announce(job);
      browser.say(words().shell.ended(job), () => void navigate({ to: "/jobs/$jobId", params: { jobId: id } }), id);
    }
    // What is watched may be in neither list: it is looked for whenever they were asked for.
  }, [running, asked.dataUpdatedAt, waiting, beyond, me, navigate]);

  return (
    <section className="notices" aria-label={t.notices} role="log" aria-live="polite">
      {told.map((job) => (
        <Notice key={job.id} job={job} />
      ))}
    </section>
  );
}

function Notice({ job }: { job: Job }) {
  const t = useWords().shell;
  return (
    <div className="notice" data-tone={jobTone(job)}>
      <strong>{t.ended(job)}</strong>
      <ActionIcon variant="subtle" aria-label={`${t.dismiss}: ${job.name}`} onClick={() => dismiss(job.id)}>
        <X size={16} />
      </ActionIcon>
      <p className="small dim break">{job.error?.message ?? (job.best && `${metricTitle(job.best.name)} ${metric(job.best.name, job.best.value)}`)}</p>
      <p className="small">
        <Link to="/jobs/$jobId" params={{ jobId: job.id }} onClick={() => dismiss(job.id)}>
          {t.watch}
        </Link>
      </p>
    </div>
  );
}
