import "./train.css";
import "../styles/fields.css";
import { Button, Select, TextInput, type ComboboxItem, type OptionsFilter } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { $api, queryClient, type Schemas } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { Differences } from "../components/Differences";
import { Obstacles } from "../components/Obstacles";
import { Presets } from "../components/Presets";
import { SchemaForm } from "../components/SchemaForm";
import { Callout, Empty, Failure, Skeleton } from "../components/states";
import { compact, count, plural } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { formField, formOf, policyFields, policyOf } from "../lib/policy";
import { defaultsOf, differences, faultOf, fieldsOf, sentence, type Config } from "../lib/schema";
import { jobQueries } from "../live/use-job";

type Framework = Schemas["Framework"];
type Job = Schemas["Job"];
type Policy = Schemas["Policy"];
type Dataset = Schemas["Dataset"];
type Task = Framework["tasks"][number];

const MODELS_SHOWN = 60;

/** What to train on what, and how: as a job had it, where the address names one (`?from=…`).
 * The choices stand in the address; the rest of the form does not. */
export function TrainPage() {
  useTitle("New training");
  const { from } = useSearch({ from: "/inside/train" });
  const datasets = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: 200 } } });
  const models = $api.useQuery("get", "/api/v1/models", {}, { staleTime: 60_000 });
  const policy = $api.useQuery("get", "/api/v1/training/policy", {}, { staleTime: 60_000 });
  const parent = useQuery({ ...jobQueries.job(from ?? ""), enabled: from !== undefined });
  const failed = datasets.error ?? models.error ?? policy.error ?? parent.error;
  if (failed) return <Failure error={failed} retry={() => void Promise.all([datasets.refetch(), models.refetch(), policy.refetch(), from && parent.refetch()])} />;
  if (!datasets.data || !models.data || !policy.data || (from && !parent.data)) return <Skeleton height="60vh" label="Loading the form" />;
  const ready = datasets.data.items.filter((d) => d.status === "ready");
  if (ready.length === 0)
    return (
      <Empty
        title="First a data set"
        heading="h1"
        action={
          <Button component={Link} to="/datasets">
            Add a data set
          </Button>
        }
      >
        <p>A training learns from labelled images, and there are none yet.</p>
      </Empty>
    );
  return <TrainForm key={from} datasets={ready} frameworks={models.data.items} server={policy.data} parent={from ? parent.data : undefined} />;
}

function TrainForm({ datasets, frameworks, server, parent }: { datasets: Dataset[]; frameworks: Framework[]; server: Policy; parent: Job | undefined }) {
  const search = useSearch({ from: "/inside/train" });
  const navigate = useNavigate({ from: "/train" });
  const put = (change: typeof search): void => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const dataset = datasets.find((d) => d.id === (search.dataset ?? parent?.dataset_id)) ?? (datasets.length === 1 ? datasets[0] : undefined);
  const usable = frameworks.filter((f) => f.status === "ready");
  const framework = frameworks.find((f) => f.framework === (search.framework ?? parent?.framework)) ?? usable[0] ?? frameworks[0];
  const given = parent?.framework === framework?.framework ? parent : undefined;
  const model = search.model ?? given?.model_name;
  const config = { ...given?.config, ...(Number(search.epochs) > 0 && { epochs: Number(search.epochs) }) };
  return (
    <div className="stack-l">
      <h1>New training</h1>
      {parent && (
        <p className="dim">
          As in{" "}
          <Link to="/jobs/$jobId" params={{ jobId: parent.id }}>
            {parent.name}
          </Link>
          , from the start.
        </p>
      )}
      {framework && framework.status !== "ready" && (
        <Callout tone="lamp" title={`${framework.framework} is ${framework.status === "error" ? "not working" : framework.status}`}>
          <p>{framework.message}</p>
          {framework.status === "absent" && <code>{framework.install_command}</code>}
        </Callout>
      )}
      {framework && <Configured key={framework.framework} {...{ datasets, dataset, frameworks, framework, model, given: config, policy: parent?.policy, server, put }} />}
    </div>
  );
}

type ConfiguredProps = {
  datasets: Dataset[];
  dataset: Dataset | undefined;
  frameworks: Framework[];
  framework: Framework;
  model: string | undefined;
  /** What the form begins with, beside the defaults. */
  given: Config;
  policy: Policy | undefined;
  /** What holds where a limit is left empty. */
  server: Policy;
  put: (change: { dataset?: string; framework?: string; model?: string }) => void;
};

function Configured({ datasets, dataset, frameworks, framework, model, given, policy, server, put }: ConfiguredProps) {
  const navigate = useNavigate();
  const fields = useMemo(() => fieldsOf(framework.schema), [framework.schema]);
  const [config, setConfig] = useState<Config>(() => ({ ...defaultsOf(fields), ...given }));
  const limitFields = useMemo(() => policyFields(server), [server]);
  const [limits, setLimits] = useState<Config>(() => ({ ...defaultsOf(limitFields), ...(policy && formOf(policy)) }));
  const [name, setName] = useState("");
  const task = dataset?.version?.task_types.find((t) => framework.tasks.includes(t)) ?? framework.tasks[0];
  const chosen = framework.models.find((m) => m.name === model) ?? firstModel(framework, task);
  const create = $api.useMutation("post", "/api/v1/training/jobs", {
    onSuccess(job) {
      void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/training/jobs"] });
      void navigate({ to: "/jobs/$jobId", params: { jobId: job.id } });
    },
  });
  const problem = create.error ? problemOf(create.error) : null;
  const wrong = fieldErrors(problem);
  const marked = Object.fromEntries(Object.entries(wrong).map(([field, message]) => [formField(field), message]));
  const changed = differences(fields, config);
  const all = [...fields, ...limitFields];
  const values = { ...config, ...limits };
  const valid = all.every((f) => !faultOf(f, values[f.name]));
  const missing = [
    ...(dataset ? [] : ["Choose a data set."]),
    ...(chosen ? [] : ["Choose a model."]),
    ...(framework.status === "ready" ? [] : [`${framework.framework} cannot train now.`]),
  ];

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!dataset || !chosen || !task || !valid) return;
    create.mutate({
      body: { dataset_id: dataset.id, task_type: task, framework: framework.framework, model_name: chosen.name, config: changed, policy: policyOf(limits), name: name.trim() || null },
    });
  };
  return (
    <form className="train" onSubmit={submit}>
      <div className="stack">
        <section className="panel train-pick" aria-label="What">
          <Select
            onKeyDown={enterChooses}
            label="Data set"
            required
            searchable
            placeholder="Choose one"
            nothingFoundMessage="No data set of that name"
            data={datasets.map((d) => ({ value: d.id, label: d.name }))}
            value={dataset?.id ?? null}
            allowDeselect={false}
            onChange={(id) => id && put({ dataset: id })}
            error={wrong.dataset_id}
            description={dataset?.version ? `${plural(dataset.version.image_count, "image")}, ${plural(dataset.version.classes.length, "class", "classes")}` : " "}
          />
          <Select
            onKeyDown={enterChooses}
            label="Framework"
            data={frameworks.map((f) => ({ value: f.framework, label: f.status === "ready" ? f.framework : `${f.framework} (${f.status})` }))}
            value={framework.framework}
            allowDeselect={false}
            onChange={(value) => value && put({ framework: value, model: undefined as never })}
            error={wrong.framework}
            description={framework.version ? `version ${framework.version}` : " "}
          />
          <Select
            onKeyDown={enterChooses}
            label="Model"
            required
            searchable
            filter={someModels}
            placeholder={framework.models.length ? "Choose one" : "None yet"}
            data={modelsFor(framework, task).map((m) => m.name)}
            value={chosen?.name ?? null}
            allowDeselect={false}
            nothingFoundMessage="No model of that name"
            onChange={(value) => value && put({ model: value })}
            error={wrong.model_name}
            description={chosen ? describe(chosen) : " "}
          />
        </section>
        {fields.length > 0 && (
          <section className="panel stack" aria-label="How">
            <Presets fields={fields} presets={framework.presets} config={config} onChange={setConfig} />
            <SchemaForm fields={fields} value={config} onChange={setConfig} errors={marked} />
          </section>
        )}
        <section className="panel stack" aria-label="Limits">
          <SchemaForm fields={limitFields} value={limits} onChange={setLimits} errors={marked} closed />
        </section>
      </div>
      <aside className="panel stack train-summary" aria-label="Summary">
        <h2>Summary</h2>
        <p className="small">
          {chosen?.name ?? "a model"} on {dataset?.name ?? "a data set"}
          {task && `, ${task.replaceAll("_", " ")}`}
        </p>
        <Differences
          fields={all}
          changed={{ ...changed, ...differences(limitFields, limits) }}
          onReset={() => {
            setConfig(defaultsOf(fields));
            setLimits(defaultsOf(limitFields));
          }}
        />
        <TextInput label="Name" description="Left empty, it names itself." maxLength={200} value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
        {problem && (
          <Callout tone="bad" title={problem.errors.length ? "Correct the marked fields" : problem.detail}>
            {problem.errors.length > 0 && (
              <ul className="small">
                {problem.errors.map((e) => (
                  <li key={e.field}>
                    {sentence(formField(e.field))}: {e.message}
                  </li>
                ))}
              </ul>
            )}
          </Callout>
        )}
        <Button type="submit" loading={create.isPending} disabled={missing.length > 0 || !valid}>
          Start training
        </Button>
        <Obstacles missing={missing} fields={all} config={values} />
      </aside>
    </form>
  );
}

/** In a list, Enter takes what is marked; where what was typed is in no list, it must not send the form. */
const enterChooses = (event: KeyboardEvent): void => {
  if (event.key === "Enter") event.preventDefault();
};

const modelsFor = (framework: Framework, task: Task | undefined): Framework["models"] =>
  framework.models.filter((m) => !task || m.tasks.includes(task)).toSorted((a, b) => Number(b.recommended) - Number(a.recommended));

/** The models whose name has what is typed; where there are too many, so many of them and a line that says so. */
const someModels: OptionsFilter = ({ options, search }) => {
  const found = (options as ComboboxItem[]).filter((o) => o.label.toLowerCase().includes(search.trim().toLowerCase()));
  if (found.length <= MODELS_SHOWN) return found;
  const label = `${MODELS_SHOWN} of ${count(found.length)} shown: type to narrow`;
  return [...found.slice(0, MODELS_SHOWN), { value: "", label, disabled: true }];
};

const firstModel = (framework: Framework, task: Task | undefined): Framework["models"][number] | undefined =>
  modelsFor(framework, task).find((m) => m.recommended);

const describe = (model: Framework["models"][number]): string =>
  [
    model.parameters && `${compact(model.parameters)} parameters`,
    model.input_size && `${model.input_size} px`,
    model.pretrained ? (model.weights_offline ? "weights here" : "weights by download") : "from scratch",
  ]
    .filter(Boolean)
    .join(" · ");
