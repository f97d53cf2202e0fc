import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";

export type ConnectionState = "fine" | "lost" | "healed";

const HEALED_MS = 5_000;

const store = createStore<ConnectionState>("fine");
const healing = new Set<() => void>();

/** Whether the server answers at all, as seen by whatever was asked of it last. */
export const connection = {
  async watch(request: () => Promise<Response>): Promise<Response> {
    try {
      const response = await request();
      if (store.get() === "lost") heal();
      return response;
    } catch (error) {
      if (error instanceof TypeError) store.set("lost");
      throw error;
    }
  },

  /** Calls this each time when the server answers again. */
  onHealed(listener: () => void): void {
    healing.add(listener);
  },
};

function heal(): void {
  store.set("healed");
  for (const listener of healing) listener();
  setTimeout(() => store.get() === "healed" && store.set("fine"), HEALED_MS);
}

export const useConnection = (): ConnectionState => useSyncExternalStore(store.subscribe, store.get);
