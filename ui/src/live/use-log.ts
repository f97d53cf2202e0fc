import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, unwrap, type Schemas } from "../api/client";
import type { Level } from "../lib/job-search";
import { PAGE, type LogLine } from "./log";

type Log = Schemas["LogPage"];

const NEW_AT_ONCE = 1000;
/** Lines that a filter or a search gathers here: who needs more of them downloads the log. */
const GATHERED = 20_000;

export const logKey = (id: string) => ["job-log", id] as const;

/** How long the log is, with the lines that are new since it was asked last; at first, its last ones. */
export function useLog(id: string) {
  return useQuery({
    queryKey: logKey(id),
    queryFn: ({ client }) => {
      const known = client.getQueryData<Log>(logKey(id))?.total;
      return page(id, known === undefined ? { from: -PAGE, limit: PAGE } : { from: known, limit: NEW_AT_ONCE });
    },
  });
}

export const logLines = async (id: string, from: number, limit: number): Promise<LogLine[]> => (await page(id, { from, limit })).items;

type Query = { from: number; limit: number; q?: string; level?: Level[] };

const page = (id: string, query: Query): Promise<Log> => unwrap(api.GET("/api/v1/training/jobs/{job_id}/logs", { params: { path: { job_id: id }, query } }));

type Found = { lines: LogLine[]; busy: boolean; more: boolean };
const NOTHING: Found = { lines: [], busy: false, more: false };

/** The lines with a text or of some levels, gathered page by page, also as the log grows. */
export function useFound(id: string, q: string, level: Level[] | undefined, total: number, enabled = level !== undefined): Found {
  const [found, setFound] = useState(NOTHING);
  const key = enabled ? JSON.stringify([id, q, level]) : "";
  const gathered = useRef({ key: "", next: 0, lines: [] as LogLine[] });

  useEffect(() => {
    if (gathered.current.key !== key) {
      gathered.current = { key, next: 0, lines: [] };
      setFound({ ...NOTHING, busy: key !== "" });
    }
    const state = gathered.current;
    if (key === "" || state.next >= total || state.lines.length >= GATHERED) {
      if (key !== "") setFound((before) => ({ ...before, busy: false }));
      return;
    }
    const leaving = new AbortController();
    const gather = async (): Promise<void> => {
      while (!leaving.signal.aborted && state.lines.length < GATHERED) {
        const from = state.next;
        const answer = await page(id, { from, limit: NEW_AT_ONCE, ...(q && { q }), ...(level && { level }) });
        if (leaving.signal.aborted || state.next !== from) return;
        state.lines = [...state.lines, ...answer.items];
        state.next = answer.next_from ?? answer.total;
        const busy = answer.next_from !== null;
        setFound({ lines: state.lines, busy: busy && state.lines.length < GATHERED, more: busy && state.lines.length >= GATHERED });
        if (!busy) return;
      }
    };
    gather().catch(() => setFound((before) => ({ ...before, busy: false })));
    return () => leaving.abort();
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `key` is what is sought
  }, [key, total]);
  return found;
}
