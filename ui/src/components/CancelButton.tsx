import "./CancelButton.css";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { $api, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { jobQueries } from "../live/use-job";

/** Asks before it stops a training. */
export function CancelButton({ job }: { job: Schemas["Job"] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const cancel = $api.useMutation("post", "/api/v1/training/jobs/{job_id}/cancel", {
    onSuccess(answer) {
      client.setQueryData(jobQueries.job(job.id).queryKey, answer);
      dialog.current?.close();
    },
  });
  return (
    <>
      <Button variant="default" disabled={job.cancel_requested} onClick={() => dialog.current?.showModal()}>
        {job.cancel_requested ? "Cancelling…" : "Cancel"}
      </Button>
      <dialog ref={dialog} className="dialog" aria-labelledby="cancel-title">
        <div className="stack">
          <h2 id="cancel-title">Cancel this training?</h2>
          <p className="dim">The trainer saves what it has learned so far and stops. This training will not go on afterwards.</p>
          {cancel.error ? <p role="alert">{problemOf(cancel.error).detail}</p> : null}
          <div className="row wrap">
            <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate({ params: { path: { job_id: job.id } } })}>
              Cancel the training
            </Button>
            <Button variant="default" onClick={() => dialog.current?.close()}>
              Let it run
            </Button>
          </div>
        </div>
      </dialog>
    </>
  );
}
