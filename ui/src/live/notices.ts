import type { Schemas } from "../api/client";
import { createStore } from "../lib/store";

type Job = Schemas["Job"];

const KEPT = 4;
const KEY = "visionai-notify";

/** Jobs that have ended while one was here, the latest last; until each is dismissed. */
export const notices = createStore<readonly Job[]>([]);

export const announce = (job: Job): void => notices.set([...notices.get().filter((known) => known.id !== job.id), job].slice(-KEPT));
export const dismiss = (id: string): void => notices.set(notices.get().filter((job) => job.id !== id));

/** Whether this browser is to say it too, outside of the page: asked for by a click, allowed by the browser. */
export const browser = {
  can: "Notification" in window,
  on: (): boolean => browser.can && Notification.permission === "granted" && localStorage.getItem(KEY) === "on",
  /** Whether it was allowed. */
  async ask(): Promise<boolean> {
    if (!browser.can || (await Notification.requestPermission()) !== "granted") return false;
    localStorage.setItem(KEY, "on");
    return true;
  },
  off: (): void => localStorage.removeItem(KEY),
  say(title: string, open: () => void, tag: string): void {
    if (!browser.on()) return;
    try {
      const said = new Notification(title, { tag, icon: "/favicon.svg" });
      said.addEventListener("click", () => {
        window.focus();
        open();
        said.close();
      });
    } catch {
      // Browsers of phones say it through service workers alone: the notice in the page remains.
    }
  },
};

/** Of those known to be at work or waiting, the ones that are no more: they have ended, or stand between two lists. */
export const vanished = (known: ReadonlySet<string>, now: readonly Job[]): string[] => {
  const here = new Set(now.map((job) => job.id));
  return [...known].filter((id) => !here.has(id));
};
