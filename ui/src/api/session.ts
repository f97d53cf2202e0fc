import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";
import { words } from "../words";
import { connection } from "./connection";
import type { components } from "./schema";

type User = components["schemas"]["User"];
type Tokens = components["schemas"]["Session"];

/** Whether this browser has signed in before: without it, asking for a refresh is a 401 nobody needs. */
const REMEMBERED = "visionai-signed-in";
const EXPIRY_MARGIN_MS = 20_000;

const store = createStore<User | null>(null);
let access: { token: string; expires: number } | null = null;
let refreshing: Promise<string | null> | null = null;
let lapsed = false;

/** Who is signed in. The access token lives in this module alone; the refresh token in a cookie no script can read. */
export const session = {
  user: store.get,

  /** Sign in again by the cookie, if this browser has one. A server that cannot be reached counts as signed out. */
  async start(): Promise<void> {
    if (localStorage.getItem(REMEMBERED)) await session.refresh().catch(() => null);
  },

  /** Whether it ended without being ended here: everywhere from elsewhere, by somebody who may, or by its age. */
  lapsed: (): boolean => lapsed,

  begin(tokens: Tokens): void {
    lapsed = false;
    localStorage.setItem(REMEMBERED, "1");
    access = { token: tokens.access_token, expires: Date.now() + tokens.expires_in * 1000 };
    store.set(tokens.user);
  },

  /** As the server has it now: a new name. */
  changed: (user: User): void => store.set(user),

  end(why?: "lapsed"): void {
    lapsed = why === "lapsed";
    localStorage.removeItem(REMEMBERED);
    access = null;
    store.set(null);
  },

  /** A token that is good for some seconds more, or null when signed out. */
  async token(): Promise<string | null> {
    if (!access) return null;
    return Date.now() < access.expires - EXPIRY_MARGIN_MS ? access.token : session.refresh();
  },

  /** One refresh at a time, however many requests ask, and one per browser where it knows locks: tokens rotate. */
  refresh(): Promise<string | null> {
    refreshing ??= exclusively(renew).finally(() => {
      refreshing = null;
    });
    return refreshing;
  },
};

export const useUser = (): User | null => useSyncExternalStore(store.subscribe, store.get);

async function renew(): Promise<string | null> {
  const response = await connection.watch(() =>
    fetch("/api/v1/auth/refresh", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }),
  );
  if (response.ok) {
    session.begin((await response.json()) as Tokens);
    return access!.token;
  }
  if (response.status >= 500 || response.status === 429) throw new Error(words().problem.notRenewed({ status: response.status }));
  session.end("lapsed");
  return null;
}

const exclusively = async <T>(work: () => Promise<T>): Promise<T> =>
  "locks" in navigator ? ((await navigator.locks.request("visionai-refresh", work)) as T) : work();
