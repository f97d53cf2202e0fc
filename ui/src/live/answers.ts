import type { Schemas } from "../api/client";

/** What came with an answer beside its words. The server keeps of these only the last answer's choices. */
export type Beside = { choices: Schemas["Choice"][]; jobId: string | null };

const KEY = "visionai-answers";
const KEPT = 100;
const NOTHING: Beside = { choices: [], jobId: null };

/** Kept for as long as the tab is open, by message id, so that a reload loses nothing. */
export const answers = {
  of: (message: string): Beside => read().find(([id]) => id === message)?.[1] ?? NOTHING,

  keep(message: string, beside: Beside): void {
    if (beside.choices.length === 0 && beside.jobId === null) return;
    sessionStorage.setItem(KEY, JSON.stringify([...read(), [message, beside]].slice(-KEPT)));
  },

  forget: (): void => sessionStorage.removeItem(KEY),
};

const read = (): [id: string, beside: Beside][] => JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string, Beside][];
