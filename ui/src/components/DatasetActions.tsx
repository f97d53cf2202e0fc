import { Button } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { api, queryClient, unwrap, type Schemas } from "../api/client";
import { useMayEdit } from "../lib/projects";
import { useWords } from "../words";
import { AskButton } from "./AskButton";

/** What one may do with a data set: train on it, upload it once more where it failed, delete it. */
export function DatasetActions({ dataset }: { dataset: Schemas["Dataset"] }) {
  const t = useWords().datasets;
  if (!useMayEdit(dataset.project_id)) return null;
  return (
    <div className="row wrap">
      {dataset.status === "ready" && (
        <Button component={Link} to="/train" search={{ dataset: dataset.id } as never}>
          {t.trainOnIt}
        </Button>
      )}
      {dataset.status === "error" && (
        <Button component={Link} to="/datasets">
          {t.uploadAgain}
        </Button>
      )}
      <Delete dataset={dataset} />
    </div>
  );
}

function Delete({ dataset }: { dataset: Schemas["Dataset"] }) {
  const t = useWords();
  const navigate = useNavigate();
  return (
    <AskButton
      label={t.delete}
      title={t.datasets.deleteTitle({ name: dataset.name })}
      confirm={t.deleteIt}
      dismiss={t.keepIt}
      danger
      onConfirm={async () => {
        await unwrap(api.DELETE("/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } } }));
        await navigate({ to: "/datasets" });
        await queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/datasets"] });
      }}
    >
      <p className="dim">{t.datasets.deleteHelp}</p>
    </AskButton>
  );
}
