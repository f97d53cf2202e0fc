import "./DraftCard.css";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../api/client";
import { count, duration } from "../lib/format";
import { sentence, written } from "../lib/schema";
import { useWords } from "../words";
import { Estimate } from "./Estimate";

type Props = { draft: Schemas["ChatDraft"]; missing: string[]; busy: boolean; onStart: () => void };

/** What the chat has understood so far. */
export function DraftCard({ draft, missing, busy, onStart }: Props) {
  const t = useWords();
  const rows: [field: string, title: string, value: string | number | null | undefined][] = [
    ["dataset_id", t.dataset, draft.dataset_name],
    ["task_type", t.task, draft.task_type && t.tasks[draft.task_type]],
    ["model_name", t.model, draft.model_name],
    ["framework", t.framework, draft.framework],
    ["name", t.name, draft.name],
    ["time_limit_seconds", t.settings.timeLimit, draft.policy?.time_limit_seconds && duration(draft.policy.time_limit_seconds)],
    ["keep_every", t.policy.keepEvery, draft.policy?.keep_every && count(draft.policy.keep_every)],
    ["max_retries", t.policy.retries, draft.policy?.max_retries == null ? null : count(draft.policy.max_retries)],
  ];
  const settings = Object.entries(draft.config ?? {});
  return (
    <section className="panel stack draft" aria-label={t.draft.title}>
      <h2>{t.draft.title}</h2>
      <dl className="facts">
        {rows
          .filter(([field, , value]) => value || missing.includes(field))
          .map(([field, title, value]) => (
            <Row key={field} title={title} value={value ? String(value) : null} />
          ))}
        {settings.map(([name, value]) => (
          <Row key={name} title={sentence(name)} value={written(value)} />
        ))}
      </dl>
      <Estimate body={missing.length === 0 ? bodyOf(draft) : null} />
      <div className="row wrap">
        <Button size="xs" disabled={missing.length > 0} loading={busy} onClick={onStart}>
          {t.startTraining}
        </Button>
        <Button
          component={Link}
          to="/train"
          search={{ dataset: draft.dataset_id ?? undefined, framework: draft.framework ?? undefined, model: draft.model_name ?? undefined, epochs: written(draft.config?.epochs) || undefined } as never}
          size="xs"
          variant="default"
        >
          {t.draft.asForm}
        </Button>
      </div>
    </section>
  );
}

/** What saying yes would start. */
function bodyOf({ dataset_id, task_type, framework, model_name, config, policy }: Schemas["ChatDraft"]): Schemas["NewJob"] | null {
  return dataset_id && task_type && framework && model_name ? { dataset_id, task_type, framework, model_name, config, policy } : null;
}

function Row({ title, value }: { title: string; value: string | null }) {
  const t = useWords();
  return (
    <>
      <dt>{title}</dt>
      <dd data-missing={value === null}>{value ?? t.draft.stillToSay}</dd>
    </>
  );
}
