import { answers } from "../live/answers";
import { watched } from "../live/watched";
import { api, leaving, queryClient, unwrap } from "./client";
import { session } from "./session";

/** Ends the session, and leaves nothing of it in the browser. A server that cannot be reached ends it by itself. */
export async function signOut(): Promise<void> {
  leaving.begin();
  await queryClient.cancelQueries();
  await api.POST("/api/v1/auth/logout", { body: {} }).catch(() => null);
  forget();
  leaving.end();
}

/** Ends all of one's sessions, or throws: then they all go on. */
export async function signOutEverywhere(): Promise<void> {
  leaving.begin();
  await queryClient.cancelQueries();
  try {
    await unwrap(api.POST("/api/v1/auth/logout-everywhere"));
    forget();
  } catch (error) {
    void queryClient.invalidateQueries();
    throw error;
  } finally {
    leaving.end();
  }
}

function forget(): void {
  session.end();
  answers.forget();
  watched.forget();
  queryClient.clear();
}
