import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, queryClient, unwrap, type Schemas } from "../api/client";
import { AskButton } from "./AskButton";

/** What one may do with a data set: train on it, upload it once more where it failed, delete it. */
export function DatasetActions({ dataset }: { dataset: Schemas["Dataset"] }) {
  return (
    <div className="row wrap">
      {dataset.status === "ready" && (
        <Button component={Link} to="/train" search={{ dataset: dataset.id } as never}>
          Train on it
        </Button>
      )}
      {dataset.status === "error" && (
        <Button component={Link} to="/datasets">
          Upload again
        </Button>
      )}
      {dataset.status !== "uploading" && <Delete dataset={dataset} />}
    </div>
  );
}

function Delete({ dataset }: { dataset: Schemas["Dataset"] }) {
  const navigate = useNavigate();
  return (
    <AskButton
      label="Delete"
      title={`Delete “${dataset.name}”?`}
      confirm="Delete it"
      dismiss="Keep it"
      danger
      onConfirm={async () => {
        await unwrap(api.DELETE("/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } } }));
        await navigate({ to: "/datasets" });
        await queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/datasets"] });
      }}
    >
      <p className="dim">Its images and versions are removed for everybody. Trainings that have ended stay. This cannot be undone.</p>
    </AskButton>
  );
}
