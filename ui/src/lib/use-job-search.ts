import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { JobSearch } from "./job-search";

type Change = { [K in keyof JobSearch]?: JobSearch[K] | undefined };

/** What the job page's address says, and a way to change a part of it without a step in the history or a jump. */
export function useJobSearch(): [JobSearch, (change: Change) => void] {
  const search = useSearch({ from: "/inside/jobs/$jobId" });
  const navigate = useNavigate({ from: "/jobs/$jobId" });
  const change = useCallback(
    (given: Change): void => void navigate({ to: ".", search: (before) => ({ ...before, ...given }) as JobSearch, replace: true, resetScroll: false }),
    [navigate],
  );
  return [search, change];
}
