import "./train.css";
import "../styles/fields.css";
import { Button, Select, TextInput, type ComboboxItem, type OptionsFilter } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { $api, queryClient, type Schemas } from "../api/client";
import { fieldErrors, problemOf } from "../api/problem";
import { useUser } from "../api/session";
import { Differences } from "../components/Differences";
import { Estimate } from "../components/Estimate";
import { Obstacles } from "../components/Obstacles";
import { Presets } from "../components/Presets";
import { SchemaForm } from "../components/SchemaForm";
import { Callout, Empty, Failure, Skeleton } from "../components/states";
import { compact } from "../lib/format";
import { useSettled, useTitle } from "../lib/hooks";
import { formField, formOf, policyFields, policyOf } from "../lib/policy";
import { defaultsOf, differences, differencesFrom, faultOf, fieldsOf, resetOf, sent, sentence, type Config, type Field } from "../lib/schema";
import { jobQueries } from "../live/use-job";
import { useWords, words } from "../words";

type Framework = Schemas["Framework"];
type Job = Schemas["Job"];
type Policy = Schemas["Policy"];
type Dataset = Schemas["Dataset"];
type Task = Framework["tasks"][number];

const MODELS_SHOWN = 60;
const LISTED = 200;
const FOUND = 20;
/** Holds the place of a line. */
const NOTHING = "\u00a0";
const TYPED_MS = 250;

/** What to train on what, and how: as a job had it, where the address names one (`?from=…`).
 * The choices stand in the address; the rest of the form does not. */
export function TrainPage() {
  const t = useWords();
  useTitle(t.newTraining);
  const { from } = useSearch({ from: "/inside/train" });
  const datasets = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: LISTED, status: "ready" } } });
  const models = $api.useQuery("get", "/api/v1/models", {}, { staleTime: 60_000 });
  const policy = $api.useQuery("get", "/api/v1/training/policy", {}, { staleTime: 60_000 });
  const parent = useQuery({ ...jobQueries.job(from ?? ""), enabled: from !== undefined });
  const failed = datasets.error ?? models.error ?? policy.error ?? parent.error;
  if (failed) return <Failure error={failed} retry={() => void Promise.all([datasets.refetch(), models.refetch(), policy.refetch(), from && parent.refetch()])} />;
  if (!datasets.data || !models.data || !policy.data || (from && !parent.data)) return <Skeleton height="60vh" label={t.train.loading} />;
  const ready = datasets.data.items;
  if (ready.length === 0)
    return (
      <Empty
        title={t.train.firstDataset}
        heading="h1"
        action={
          <Button component={Link} to="/datasets">
            {t.train.addDataset}
          </Button>
        }
      >
        <p>{t.train.firstDatasetHelp}</p>
      </Empty>
    );
  return <TrainForm key={from} listed={ready} more={datasets.data.next_cursor !== null} frameworks={models.data.items} server={policy.data} parent={from ? parent.data : undefined} />;
}

type TrainFormProps = {
  listed: Dataset[];
  /** Whether there are others. */
  more: boolean;
  frameworks: Framework[];
  server: Policy;
  parent: Job | undefined;
};

function TrainForm({ listed, more, frameworks, server, parent }: TrainFormProps) {
  const t = useWords();
  const search = useSearch({ from: "/inside/train" });
  const navigate = useNavigate({ from: "/train" });
  const put = (change: typeof search): void => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const wanted = search.dataset ?? parent?.dataset_id ?? (listed.length === 1 ? listed[0]?.id : undefined);
  const unlisted = $api.useQuery("get", "/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: wanted ?? "" } } }, { enabled: more && wanted !== undefined && !listed.some((d) => d.id === wanted) });
  const datasets = unlisted.data?.status === "ready" ? [unlisted.data, ...listed] : listed;
  const dataset = datasets.find((d) => d.id === wanted);
  const usable = frameworks.filter((f) => f.status === "ready");
  const framework = frameworks.find((f) => f.framework === (search.framework ?? parent?.framework)) ?? usable[0] ?? frameworks[0];
  const given = parent?.framework === framework?.framework ? parent : undefined;
  const model = search.model ?? given?.model_name;
  const config = { ...given?.config, ...(Number(search.epochs) > 0 && { epochs: Number(search.epochs) }) };
  return (
    <div className="stack-l">
      <h1>{t.newTraining}</h1>
      {parent && (
        <p className="dim">
          {t.train.asIn({
            job: (
              <Link to="/jobs/$jobId" params={{ jobId: parent.id }}>
                {parent.name}
              </Link>
            ),
          })}
        </p>
      )}
      {framework && framework.status !== "ready" && (
        <Callout tone="lamp" title={t.train.frameworkIs(framework)}>
          <p>{framework.status === "absent" ? t.frameworks.install : framework.message}</p>
          {framework.status === "absent" && <code>{framework.install_command}</code>}
        </Callout>
      )}
      {framework && <Configured key={framework.framework} {...{ datasets, more, dataset, frameworks, framework, model, given: config, parent, server, put }} />}
    </div>
  );
}

type ConfiguredProps = {
  datasets: Dataset[];
  more: boolean;
  dataset: Dataset | undefined;
  frameworks: Framework[];
  framework: Framework;
  model: string | undefined;
  /** What the form begins with, beside the defaults. */
  given: Config;
  parent: Job | undefined;
  /** What holds where a limit is left empty. */
  server: Policy;
  put: (change: { dataset?: string; framework?: string; model?: string }) => void;
};

function Configured({ datasets, more, dataset, frameworks, framework, model, given, parent, server, put }: ConfiguredProps) {
  const t = useWords();
  const navigate = useNavigate();
  const user = useUser();
  const fields = useMemo(() => fieldsOf(framework.schema, t), [framework.schema, t]);
  const [config, setConfig] = useState<Config>(() => ({ ...defaultsOf(fields), ...given }));
  const limitFields = useMemo(() => policyFields(server, t), [server, t]);
  const [limits, setLimits] = useState<Config>(() => ({ ...defaultsOf(limitFields), ...(parent && formOf(parent.policy)) }));
  const [name, setName] = useState("");
  const [sought, setSought] = useState("");
  const named = useNamed(sought, more);
  const offered = [...new Map([...datasets, ...named].map((d) => [d.id, { value: d.id, label: d.name }])).values()];
  const task = dataset?.version?.task_types.find((each) => framework.tasks.includes(each)) ?? framework.tasks[0];
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
    ...(dataset ? [] : [t.train.chooseDataset]),
    ...(chosen ? [] : [t.train.chooseModel]),
    ...(framework.status === "ready" ? [] : [t.train.cannotTrain(framework)]),
  ];

  const body =
    dataset && chosen && task && valid && framework.status === "ready"
      ? {
          dataset_id: dataset.id,
          task_type: task,
          framework: framework.framework,
          model_name: chosen.name,
          config: sent(fields, config),
          policy: policyOf(limits),
          ...(parent && { priority: parent.priority, ...(parent.project_id === dataset.project_id && { parent_job_id: parent.id }) }),
        }
      : null;
  const project = $api.useQuery("get", "/api/v1/auth/me", {}, { staleTime: 60_000 }).data?.projects.find((p) => p.id === dataset?.project_id);
  // Who may not start it is not told how long it takes: asking would be refused.
  const editable = user?.role !== "viewer" && project !== undefined && project.role !== "reader";
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (body) create.mutate({ body: { ...body, name: name.trim() || null } });
  };
  return (
    <form className="train" onSubmit={submit}>
      <div className="stack">
        <section className="panel train-pick" aria-label={t.train.what}>
          <Select
            onKeyDown={enterChooses}
            label={t.dataset}
            required
            searchable
            placeholder={t.train.chooseOne}
            nothingFoundMessage={t.train.noDataset}
            data={offered}
            onSearchChange={setSought}
            value={dataset?.id ?? null}
            allowDeselect={false}
            onChange={(id) => id && put({ dataset: id })}
            error={wrong.dataset_id}
            description={dataset?.version ? `${t.count.images({ n: dataset.version.image_count })}, ${t.count.classes({ n: dataset.version.classes.length })}` : NOTHING}
          />
          <Select
            onKeyDown={enterChooses}
            label={t.framework}
            data={frameworks.map((f) => ({ value: f.framework, label: f.status === "ready" ? f.framework : t.train.frameworkState({ framework: f.framework, state: t.frameworkStates[f.status] }) }))}
            value={framework.framework}
            allowDeselect={false}
            onChange={(value) => value && put({ framework: value, model: undefined as never })}
            error={wrong.framework}
            description={framework.version ? t.train.version({ version: framework.version }) : NOTHING}
          />
          <Select
            onKeyDown={enterChooses}
            label={t.model}
            required
            searchable
            filter={someModels}
            placeholder={framework.models.length ? t.train.chooseOne : t.train.noneYet}
            data={modelsFor(framework, task).map((m) => m.name)}
            value={chosen?.name ?? null}
            allowDeselect={false}
            nothingFoundMessage={t.train.noModel}
            onChange={(value) => value && put({ model: value })}
            error={wrong.model_name}
            description={chosen ? describe(chosen) : NOTHING}
          />
        </section>
        {fields.length > 0 && (
          <section className="panel stack" aria-label={t.train.how}>
            <Presets fields={fields} presets={framework.presets} config={config} onChange={setConfig} />
            <SchemaForm fields={fields} value={config} onChange={setConfig} errors={marked} />
          </section>
        )}
        <section className="panel stack" aria-label={t.train.limits}>
          <SchemaForm fields={limitFields} value={limits} onChange={setLimits} errors={marked} closed />
        </section>
      </div>
      <aside className="panel stack train-summary" aria-label={t.train.summary}>
        <h2>{t.train.summary}</h2>
        <p className="small">
          {t.train.of({ model: chosen?.name, dataset: dataset?.name })}
          {task && `, ${t.tasks[task]}`}
        </p>
        <Differences
          fields={all}
          changed={{ ...changed, ...differences(limitFields, limits) }}
          onReset={() => {
            setConfig(resetOf(fields, config));
            setLimits(defaultsOf(limitFields));
          }}
          parent={parent && since(parent, { framework, model: chosen?.name, dataset, fields, config, limitFields, limits })}
        />
        <Estimate body={editable ? body : null} />
        <TextInput label={t.name} description={t.train.nameHelp} maxLength={200} value={name} onChange={(e) => setName(e.currentTarget.value)} error={wrong.name} />
        {problem && (
          <Callout tone="bad" title={problem.errors.length ? t.train.correct : problem.detail}>
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
          {t.startTraining}
        </Button>
        <Obstacles missing={missing} fields={all} config={values} />
      </aside>
    </form>
  );
}

type Chosen = { framework: Framework; model: string | undefined; dataset: Dataset | undefined; fields: Field[]; config: Config; limitFields: Field[]; limits: Config };

/** What differs from the job that this one is trained again after. Of another framework the settings have nothing in common. */
function since(parent: Job, { framework, model, dataset, fields, config, limitFields, limits }: Chosen) {
  const t = words();
  const facts = [
    { title: t.dataset, value: dataset?.name ?? t.compare.notSet, was: parent.dataset_name, differs: dataset?.id !== parent.dataset_id },
    { title: t.settings.version, value: t.train.newestVersion, was: t.train.earlierVersion, differs: dataset?.id === parent.dataset_id && dataset.version != null && dataset.version.id !== parent.dataset_version_id },
    { title: t.framework, value: framework.framework, was: parent.framework, differs: framework.framework !== parent.framework },
    { title: t.model, value: model ?? t.compare.notSet, was: parent.model_name, differs: model !== parent.model_name },
  ].filter((fact) => fact.differs);
  const [had, hadLimits] = [framework.framework === parent.framework ? parent.config : config, formOf(parent.policy)];
  return { facts, changed: { ...differencesFrom(fields, config, had), ...differencesFrom(limitFields, limits, hadLimits) }, had: { ...had, ...hadLimits } };
}

/** What the server finds by a part of a name, where the list has not all. */
function useNamed(text: string, enabled: boolean): Dataset[] {
  const q = useSettled(text.trim(), TYPED_MS);
  const found = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: FOUND, status: "ready", q } } }, { enabled: enabled && q !== "", placeholderData: keepPreviousData });
  return found.data?.items ?? [];
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
  const label = words().train.narrow({ shown: MODELS_SHOWN, found: found.length });
  return [...found.slice(0, MODELS_SHOWN), { value: "", label, disabled: true }];
};

const firstModel = (framework: Framework, task: Task | undefined): Framework["models"][number] | undefined =>
  modelsFor(framework, task).find((m) => m.recommended);

function describe(model: Framework["models"][number]): string {
  const t = words();
  return [
    model.parameters && t.train.parameters({ n: compact(model.parameters) }),
    model.input_size && t.unit.pixels({ n: model.input_size }),
    model.pretrained ? (model.weights_offline ? t.train.weightsHere : t.train.weightsByDownload) : t.fromScratch,
  ]
    .filter(Boolean)
    .join(" · ");
}
