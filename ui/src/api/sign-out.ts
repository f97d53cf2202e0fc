import { answers } from "../live/answers";
import { api, queryClient } from "./client";
import { session } from "./session";

/** Ends the session, and leaves nothing of it in the browser. A server that cannot be reached ends it by itself. */
export async function signOut(): Promise<void> {
  await api.POST("/api/v1/auth/logout", { body: {} }).catch(() => null);
  session.end();
  answers.forget();
  queryClient.clear();
}
