/** What somebody does not want to be told again, remembered by this browser: the latest of it. */

const KEY = "visionai-dismissed";
const KEPT = 200;

export const dismissed = {
  all: (): string[] => {
    try {
      const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
    } catch {
      return [];
    }
  },
  add: (ids: readonly string[]): string[] => {
    const kept = [...new Set([...dismissed.all(), ...ids])].slice(-KEPT);
    localStorage.setItem(KEY, JSON.stringify(kept));
    return kept;
  },
};
