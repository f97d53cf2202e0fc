import { answers } from "../live/answers";
import { watched } from "../live/watched";
import { api, queryClient, unwrap } from "./client";
import { session } from "./session";

/** Ends the session, and leaves nothing of it in the browser. A server that cannot be reached ends it by itself. */
export async function signOut(): Promise<void> {
  await api.POST("/api/v1/auth/logout", { body: {} }).catch(() => null);
  forget();
}

/** Ends all of one's sessions, or throws: then they all go on. */
export async function signOutEverywhere(): Promise<void> {
  await unwrap(api.POST("/api/v1/auth/logout-everywhere"));
  forget();
}

function forget(): void {
  session.end();
  answers.forget();
  watched.forget();
  queryClient.clear();
}
