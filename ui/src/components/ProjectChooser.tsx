import { NativeSelect } from "@mantine/core";
import { ChevronDown } from "lucide-react";
import type { Project } from "../lib/projects";

type Props = { label: string; shown?: boolean; projects: readonly Project[]; value: string; onChange: (id: string) => void; /** What stands for all of them. */ all?: string };

/** One of several projects; where there is only one, nothing is to be chosen. */
export function ProjectChooser({ label, shown = false, projects, value, onChange, all }: Props) {
  if (projects.length < 2 && (all === undefined || value === "")) return null;
  const options = projects.map((p) => ({ value: p.id, label: p.name }));
  const known = value === "" || options.some((o) => o.value === value) ? options : [...options, { value, label: value }];
  return (
    <NativeSelect
      label={shown ? label : undefined}
      aria-label={shown ? undefined : label}
      rightSection={<ChevronDown size={15} aria-hidden />}
      data={all === undefined ? known : [{ value: "", label: all }, ...known]}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  );
}
