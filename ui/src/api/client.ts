import { QueryClient } from "@tanstack/react-query";
import createFetchClient from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import { connection } from "./connection";
import { problemOf } from "./problem";
import type { components, paths } from "./schema";
import { session } from "./session";

export type Schemas = components["schemas"];
export const ENDED: readonly Schemas["Job"]["state"][] = ["completed", "failed", "cancelled"];

const LEAVING = "/api/v1/auth/logout";
const SETUP = "/api/v1/auth/setup";
let staying = new AbortController();

/** While somebody signs out nothing else is asked, and what is being asked is broken off: it would be refused. */
export const leaving = {
  begin: (): void => staying.abort(),
  end(): void {
    staying = new AbortController();
  },
};

/** `fetch` with the access token; after a 401 once more with a fresh one. What a page that is being left still asks for
 * once nobody is signed in is not sent. */
async function authorisedFetch(request: Request): Promise<Response> {
  const spare = request.clone();
  const { pathname } = new URL(request.url);
  const signal = pathname.startsWith(LEAVING) ? request.signal : AbortSignal.any([request.signal, staying.signal]);
  const token = await session.token();
  if (!token && request.method === "GET" && pathname !== SETUP) AbortSignal.abort().throwIfAborted();
  const response = await connection.watch(() => fetch(withToken(request, token), { signal }));
  if (response.status !== 401 || !token) return response;
  const fresh = await session.refresh();
  return fresh ? connection.watch(() => fetch(withToken(spare, fresh), { signal })) : response;
}

function withToken(request: Request, token: string | null): Request {
  if (token) request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

export const api = createFetchClient<paths>({ baseUrl: location.origin, fetch: authorisedFetch });
export const $api = createQueryClient(api);

/** The answer's data; a problem is thrown. */
export async function unwrap<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<T> {
  const { data, error } = await answer;
  if (error !== undefined) throw error;
  return data as T;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    // Whether the browser thinks it is online says nothing of a server on the same machine.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      staleTime: 2_000,
      retry: (failures, error) => {
        const { status } = problemOf(error);
        return status === 0 || (status >= 500 && failures < 2);
      },
      retryDelay: (failures) => Math.min(5_000, 500 * 2 ** failures),
    },
  },
});

// What was shown while nobody answered may be old.
connection.onHealed(() => void queryClient.invalidateQueries());
