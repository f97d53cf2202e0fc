import { Button, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ENDED, unwrap, type Schemas } from "../api/client";
import { useUser } from "../api/session";
import { useMayEdit } from "../lib/projects";
import { jobQueries } from "../live/use-job";
import { useWords } from "../words";
import { AskButton } from "./AskButton";
import { WatchToggle } from "./WatchToggle";

type Job = Schemas["Job"];

/** What one may do with a job: compare it; who edits in its project may also stop it while it runs; go on from it, repeat it or delete it when it has ended. */
export function JobActions({ job }: { job: Job }) {
  const t = useWords();
  const me = useUser();
  const mayEdit = useMayEdit(job.project_id);
  const ended = ENDED.includes(job.state);
  if (ended && mayEdit) return <Ended job={job} />;
  return (
    <div className="row wrap">
      {!ended && me && me.id !== job.created_by.id && <WatchToggle kind="jobs" id={job.id} label={t.actions.tellMe} />}
      {mayEdit && <TrainAgain job={job} />}
      <CompareWith job={job} />
      {mayEdit && <Cancel job={job} />}
    </div>
  );
}

function TrainAgain({ job }: { job: Job }) {
  const t = useWords();
  return (
    <Button component={Link} to="/train" search={{ from: job.id } as never} variant="default">
      {t.actions.trainAgain}
    </Button>
  );
}

function CompareWith({ job }: { job: Job }) {
  const t = useWords();
  return (
    <Button component={Link} to="/jobs" search={{ with: job.id } as never} variant="default">
      {t.actions.compareWith}
    </Button>
  );
}

function Cancel({ job }: { job: Job }) {
  const t = useWords();
  const client = useQueryClient();
  return (
    <AskButton
      label={job.cancel_requested ? t.actions.cancelling : t.cancel}
      title={t.actions.cancelTitle}
      confirm={t.actions.cancelIt}
      dismiss={t.actions.letItRun}
      danger
      disabled={job.cancel_requested}
      onConfirm={async () => {
        const answer = await unwrap(api.POST("/api/v1/training/jobs/{job_id}/cancel", { params: { path: { job_id: job.id } } }));
        client.setQueryData(jobQueries.job(job.id).queryKey, answer);
      }}
    >
      <p className="dim">{t.actions.cancelHelp}</p>
    </AskButton>
  );
}

function Ended({ job }: { job: Job }) {
  const artifacts = useQuery(jobQueries.artifacts(job.id));
  const checkpoint = artifacts.data?.items.find((a) => a.kind === "checkpoint_last")?.epoch;
  return (
    <div className="row wrap">
      {checkpoint != null && <GoOn job={job} from={checkpoint} />}
      <TrainAgain job={job} />
      <CompareWith job={job} />
      <Delete job={job} />
    </div>
  );
}

function GoOn({ job, from }: { job: Job; from: number }) {
  const t = useWords().actions;
  const wanted = Number(job.config.epochs) || from;
  const [epochs, setEpochs] = useState(String(from < wanted ? wanted : from + wanted));
  const navigate = useNavigate();
  return (
    <AskButton
      label={job.state === "completed" ? t.trainLonger : t.goOn}
      title={t.goOnTitle({ n: from })}
      confirm={t.goOn}
      dismiss={t.notNow}
      onConfirm={async () => {
        const made = await unwrap(
          api.POST("/api/v1/training/jobs/{job_id}/resume", { params: { path: { job_id: job.id } }, body: { config: { epochs: Number(epochs) } } }),
        );
        await navigate({ to: "/jobs/$jobId", params: { jobId: made.id } });
      }}
    >
      <p className="dim">{t.goOnHelp}</p>
      <TextInput label={t.epochsInAll} inputMode="numeric" pattern="[0-9]+" required value={epochs} onChange={(e) => setEpochs(e.currentTarget.value)} />
    </AskButton>
  );
}

function Delete({ job }: { job: Job }) {
  const t = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  return (
    <AskButton
      label={t.delete}
      title={t.actions.deleteTitle}
      confirm={t.deleteIt}
      dismiss={t.keepIt}
      danger
      onConfirm={async () => {
        await unwrap(api.DELETE("/api/v1/training/jobs/{job_id}", { params: { path: { job_id: job.id } } }));
        await navigate({ to: "/jobs" });
        client.removeQueries({ queryKey: jobQueries.job(job.id).queryKey });
      }}
    >
      <p className="dim">{t.actions.deleteHelp}</p>
    </AskButton>
  );
}
