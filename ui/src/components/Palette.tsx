import "./Palette.css";
import { useMantineColorScheme } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { api, unwrap } from "../api/client";
import { useUser } from "../api/session";
import { signOut } from "../api/sign-out";
import { useSettled } from "../lib/hooks";
import { bestFirst } from "../lib/match";
import { isAdmin, looksAfter } from "../lib/people";
import { useProjects } from "../lib/projects";
import { chooseLanguage, useWords } from "../words";
import { LANGUAGES, type Language } from "../words/locale";
import { JobBadge } from "./states";

type Option = { id: string; name: string; beside?: ReactNode; act: () => void };
type Group = { title: string; options: Option[] };

const TYPED_MS = 150;
const JOBS = 8;
const DATASETS = 6;

/** Any page, job, data set or action by the first letters of its name, with the keyboard alone. */
export function Palette({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const t = useWords();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const { groups, searching, failed } = useFound(typed.trim(), onShortcuts);
  const options = groups.flatMap((group) => group.options);
  const marked = Math.min(at, options.length - 1);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    // Newer browsers answer with a promise, which is no clean-up.
    void list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [marked, typed]);

  const choose = (option: Option | undefined): void => {
    if (!option) return;
    dialog.current?.close();
    option.act();
  };

  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes (Korean, Japanese), the keys are its own.
    if (event.nativeEvent.isComposing) return;
    const to = { ArrowDown: marked + 1, ArrowUp: marked - 1, PageDown: marked + 8, PageUp: marked - 8 }[event.key];
    const whole = event.key === "PageDown" || event.key === "PageUp";
    if (to !== undefined) setAt(options.length === 0 ? 0 : whole ? Math.min(options.length - 1, Math.max(0, to)) : (to + options.length) % options.length);
    else if (event.key === "Enter") choose(options[marked]);
    else return;
    event.preventDefault();
  }

  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape does the same
    <dialog ref={dialog} className="palette" aria-label={t.palette.title} onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <input
        className="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={`${id}-list`}
        aria-activedescendant={options[marked] && `${id}-${marked}`}
        aria-label={t.palette.title}
        placeholder={t.palette.placeholder}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div ref={list} id={`${id}-list`} className="palette-list" role="listbox" aria-label={t.palette.results}>
        {groups.map((group) => (
          <div key={group.title} role="group" aria-label={group.title}>
            <h3 aria-hidden="true">{group.title}</h3>
            {group.options.map((option) => {
              const index = options.indexOf(option);
              return (
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the field above has the focus and the keys
                <div key={option.id} id={`${id}-${index}`} className="palette-option" role="option" aria-selected={index === marked} onClick={() => choose(option)} onPointerMove={() => setAt(index)}>
                  <span className="clip">{option.name}</span>
                  {option.beside}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <div className="palette-foot small dim">
        <span role="status">{failed ? t.palette.failed : searching ? t.palette.searching : options.length === 0 ? t.palette.nothing({ typed: typed.trim() }) : t.palette.found({ n: options.length })}</span>
        <span className="palette-help" aria-hidden="true">{t.palette.help}</span>
      </div>
    </dialog>
  );
}

function useFound(typed: string, onShortcuts: () => void): { groups: Group[]; searching: boolean; failed: boolean } {
  const t = useWords();
  const navigate = useNavigate();
  const user = useUser();
  const { setColorScheme } = useMantineColorScheme();
  const asked = useSettled(typed, TYPED_MS);
  const jobs = useQuery({
    queryKey: ["get", "/api/v1/training/jobs", "named", asked],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/training/jobs", { signal, params: { query: { limit: JOBS, ...(asked && { q: asked }) } } })),
    placeholderData: (before) => before,
  });
  const datasets = useQuery({
    queryKey: ["get", "/api/v1/datasets", "named", asked],
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/datasets", { signal, params: { query: { limit: DATASETS, ...(asked && { q: asked }) } } })),
    placeholderData: (before) => before,
  });
  const projects = useProjects() ?? [];
  const pages: Option[] = [
    { id: "home", name: t.shell.home, act: () => void navigate({ to: "/" }) },
    { id: "datasets", name: t.shell.datasets, act: () => void navigate({ to: "/datasets" }) },
    { id: "jobs", name: t.shell.jobs, act: () => void navigate({ to: "/jobs" }) },
    { id: "models", name: t.shell.models, act: () => void navigate({ to: "/models" }) },
    { id: "compare", name: t.palette.compare, act: () => void navigate({ to: "/compare" }) },
    { id: "account", name: t.account.title, act: () => void navigate({ to: "/account" }) },
    { id: "projects", name: t.people.projects, act: () => void navigate({ to: "/projects" }) },
    ...(looksAfter(user) ? [{ id: "people", name: t.people.title, act: () => void navigate({ to: "/people" }) }] : []),
    ...(isAdmin(user) ? [{ id: "audit", name: t.shell.audit, act: () => void navigate({ to: "/audit" }) }, { id: "system", name: t.shell.system, act: () => void navigate({ to: "/system" }) }] : []),
  ];
  const actions: Option[] = [
    ...(user?.role === "viewer"
      ? []
      : [
          { id: "train", name: t.newTraining, act: () => void navigate({ to: "/train" }) },
          { id: "upload", name: t.palette.upload, act: () => void navigate({ to: "/datasets" }) },
        ]),
    ...(["light", "dark", "auto"] as const).map((scheme) => ({ id: scheme, name: t.shell[scheme], act: () => setColorScheme(scheme) })),
    ...(Object.keys(LANGUAGES) as Language[]).filter((language) => language !== t.language).map((language) => ({ id: language, name: t.palette.speak({ language: LANGUAGES[language] }), act: () => void chooseLanguage(language) })),
    { id: "shortcuts", name: t.palette.shortcuts, act: onShortcuts },
    { id: "sign-out", name: t.shell.signOut, act: () => void signOut() },
  ];
  const groups: Group[] = [
    { title: t.palette.pages, options: bestFirst(pages, typed) },
    {
      title: t.palette.jobs,
      // Until there is an answer to what is typed now, those of the one before that have it.
      options: bestFirst(
        (jobs.data?.items ?? []).map((job) => ({ id: job.id, name: job.name, beside: <JobBadge job={job} />, act: () => void navigate({ to: "/jobs/$jobId", params: { jobId: job.id } }) })),
        typed,
      ),
    },
    {
      title: t.palette.datasets,
      options: bestFirst(
        (datasets.data?.items ?? []).map((d) => ({ id: d.id, name: d.name, act: () => void navigate({ to: "/datasets/$datasetId", params: { datasetId: d.id } }) })),
        typed,
      ),
    },
    {
      title: t.people.projects,
      options: typed === "" ? [] : bestFirst(projects.map((p) => ({ id: p.id, name: p.name, act: () => void navigate({ to: "/projects/$projectId", params: { projectId: p.id } }) })), typed).slice(0, DATASETS),
    },
    { title: t.palette.actions, options: bestFirst(actions, typed) },
  ];
  return { groups: groups.filter((group) => group.options.length > 0), searching: jobs.isFetching || datasets.isFetching || asked !== typed, failed: jobs.isError || datasets.isError };
}
