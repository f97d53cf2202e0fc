import "./DraftCard.css";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { sentence, written } from "../lib/schema";

type Props = { draft: Schemas["ChatDraft"]; missing: string[]; busy: boolean; onStart: () => void };

/** What the chat has understood so far. */
export function DraftCard({ draft, missing, busy, onStart }: Props) {
  const rows: [field: string, title: string, value: string | null | undefined][] = [
    ["dataset_id", "Data set", draft.dataset_name],
    ["task_type", "Task", draft.task_type?.replaceAll("_", " ")],
    ["model_name", "Model", draft.model_name],
    ["framework", "Framework", draft.framework],
    ["name", "Name", draft.name],
  ];
  const settings = Object.entries(draft.config ?? {});
  return (
    <section className="panel stack draft" aria-label="Draft">
      <h2>Draft</h2>
      <dl className="facts">
        {rows
          .filter(([field, , value]) => value || missing.includes(field))
          .map(([field, title, value]) => (
            <Row key={field} title={title} value={value ?? null} />
          ))}
        {settings.map(([name, value]) => (
          <Row key={name} title={sentence(name)} value={written(value)} />
        ))}
      </dl>
      <div className="row wrap">
        <Button size="xs" disabled={missing.length > 0} loading={busy} onClick={onStart}>
          Start training
        </Button>
        <Button
          component={Link}
          to="/train"
          search={{ dataset: draft.dataset_id ?? undefined, framework: draft.framework ?? undefined, model: draft.model_name ?? undefined, epochs: written(draft.config?.epochs) || undefined } as never}
          size="xs"
          variant="default"
        >
          Open as a form
        </Button>
      </div>
    </section>
  );
}

const Row = ({ title, value }: { title: string; value: string | null }) => (
  <>
    <dt>{title}</dt>
    <dd data-missing={value === null}>{value ?? "still to say"}</dd>
  </>
);
