import { NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronDown } from "lucide-react";
import { $api } from "../api/client";
import { useUser } from "../api/session";
import { useProjects } from "../lib/projects";
import { JOB_SORTS, SINCE, type JobSearch } from "../lib/search";
import { useWords } from "../words";
import { NameSearch } from "./NameSearch";

type Choice = { value: string; label: string };

const plain = (values: readonly string[] = []): Choice[] => values.map((value) => ({ value, label: value }));

/** Narrows the list of jobs and sorts it, in the address. What there is only one of is no choice. */
export function JobFilters() {
  const t = useWords();
  const user = useUser();
  const search = useSearch({ from: "/inside/jobs" });
  const navigate = useNavigate({ from: "/jobs" });
  const choices = $api.useQuery("get", "/api/v1/training/jobs/choices", {}, { staleTime: 30_000 }).data;
  const projects = useProjects() ?? [];
  const put = (change: JobSearch): void => void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  const select = (name: "framework" | "model" | "dataset" | "who" | "project" | "since" | "sort", all: string, options: Choice[], least = 2) => {
    const value = search[name] ?? "";
    if (options.length < least && value === "") return null;
    const known = value === "" || options.some((o) => o.value === value) ? options : [...options, { value, label: value }];
    return <NativeSelect rightSection={<ChevronDown size={15} aria-hidden />} aria-label={all} data={[{ value: "", label: all }, ...known]} value={value} onChange={(e) => put({ [name]: e.currentTarget.value || undefined })} />;
  };
  const people = choices?.people.filter((person) => person.id !== user?.id) ?? [];
  return (
    <search className="job-filters" aria-label={t.jobs.filters}>
      <NameSearch value={search.q ?? ""} onChange={(q) => put({ q: q || undefined })} />
      {select("framework", t.jobs.anyFramework, plain(choices?.frameworks))}
      {select("model", t.jobs.anyModel, plain(choices?.models))}
      {select("dataset", t.jobs.anyDataset, choices?.datasets.map((d) => ({ value: d.id, label: d.name })) ?? [])}
      {select("who", t.jobs.anybody, [...(user ? [{ value: user.id, label: t.jobs.mine }] : []), ...people.map((p) => ({ value: p.id, label: p.name }))])}
      {select("project", t.jobs.anyProject, projects.map((p) => ({ value: p.id, label: p.name })))}
      {select("since", t.jobs.anyTime, SINCE.map((value) => ({ value, label: t.jobs.since[value] })))}
      {select("sort", t.jobs.newest, JOB_SORTS.map((value) => ({ value, label: t.jobs.sorts[value] })))}
    </search>
  );
}
