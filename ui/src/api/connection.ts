import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";

const lost = createStore(false);

/** Whether the server answers at all, as seen by whatever was asked of it last. */
export const connection = {
  async watch(request: () => Promise<Response>): Promise<Response> {
    try {
      const response = await request();
      lost.set(false);
      return response;
    } catch (error) {
      if (error instanceof TypeError) lost.set(true);
      throw error;
    }
  },
};

export const useConnectionLost = (): boolean => useSyncExternalStore(lost.subscribe, lost.get);
