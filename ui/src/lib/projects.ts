import { $api, type Schemas } from "../api/client";

export type Project = Schemas["Project"];

/** The projects that one is in, an admin in all, with what one may do in each; undefined until that is known. */
export const useProjects = (): Project[] | undefined => $api.useQuery("get", "/api/v1/auth/me", undefined, { staleTime: 30_000 }).data?.projects;

export const mayEdit = (project: Project | undefined): boolean => project !== undefined && project.role !== "reader";

/** Whether one may change what is in it; until that is known, no control is shown that would be refused. */
export const useMayEdit = (id: string): boolean => mayEdit(useProjects()?.find((p) => p.id === id));

/** Where something new may go. */
export const editable = (projects: readonly Project[] | undefined): Project[] => projects?.filter(mayEdit) ?? [];

/** The project's name where there are several to tell apart. */
export function useProjectName(id: string): string | null {
  const projects = useProjects();
  return projects && projects.length > 1 ? (projects.find((p) => p.id === id)?.name ?? null) : null;
}
