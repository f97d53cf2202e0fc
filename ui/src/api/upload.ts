import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";
import { words } from "../words";
import { queryClient } from "./client";
import { problemOf } from "./problem";
import { session } from "./session";

// Uploads in slices, by tus 1.0: what the server has acknowledged is there for good, and an upload goes on from there.

const PATH = "/api/v1/uploads";
const SLICE_BYTES = 8 * 2 ** 20;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
/** A connection that is gone does not say so: nothing sent and nothing heard for so long is as good as that. */
const STALLED_MS = 30_000;
const KEPT = "visionai-uploads";
const MOST_KEPT = 20;

export type Upload = {
  key: number;
  name: string;
  size: number;
  sent: number;
  /** For the connection, or for a server that is away. */
  waiting: boolean;
  /** What went wrong, said when it is shown. */
  failure: (() => string) | null;
  cancel: () => void;
};

/** What of a file is on the server from an earlier time. */
export type Begun = { path: string; offset: number };

type Reached = { offset: number; datasetId: string };
type Answer = { status: number; body: unknown; header: (name: string) => string };
type Sent = { headers?: Record<string, string>; body?: ArrayBuffer; onProgress?: (bytes: number) => void; signal?: AbortSignal };

const uploads = createStore<Upload[]>([]);
const sending = new Set<string>();
let keys = 0;

export const useUploads = (): Upload[] => useSyncExternalStore(uploads.subscribe, uploads.get);

/**
 * Uploads an archive, or goes on with what has `begun`; also while one looks at other pages, and when the connection was
 * lost and is back. Resolves to the data set's id, or null if it came to nothing.
 */
export async function upload(file: File, name: string, begun: Begun | null, project?: string): Promise<string | null> {
  const key = ++keys;
  const stop = new AbortController();
  let path = begun?.path ?? "";
  put({ key, name, size: file.size, sent: begun?.offset ?? 0, waiting: false, failure: null, cancel: () => stop.abort() });
  try {
    const creation = crypto.getRandomValues(new Uint32Array(4)).join("-");
    path ||= await persevere(key, stop.signal, () => begin(file, { filename: file.name, name, ...(project && { project_id: project }) }, creation, stop.signal));
    sending.add(path);
    const datasetId = await send(file, path, key, stop.signal);
    forget(file);
    dismiss(key);
    return datasetId;
  } catch (error) {
    if (stop.signal.aborted) {
      dismiss(key);
      await giveUp(file, path);
    } else {
      if (problemOf(error).status === 404) forget(file);
      patch(key, { failure: () => problemOf(error).detail, waiting: false });
    }
    return null;
  } finally {
    sending.delete(path);
    void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/datasets"] });
  }
}

/** Whether this browser has begun to upload this very file, and the server still has the beginning. */
export async function unfinished(file: File): Promise<Begun | null> {
  const path = kept()[fingerprint(file)];
  if (!path || sending.has(path)) return null;
  try {
    const { offset } = await look(path);
    if (offset < file.size) return { path, offset };
  } catch (error) {
    if (problemOf(error).status !== 404) return null;
  }
  forget(file);
  return null;
}

/** Nothing of it stays on the server; where that cannot be told now, it goes by itself in a day. */
export async function giveUp(file: File, path: string): Promise<void> {
  forget(file);
  if (path) await ask("DELETE", path).catch(() => null);
}

export const dismiss = (key: number): void => set(uploads.get().filter((u) => u.key !== key));

async function begin(file: File, said: Record<string, string>, creation: string, signal: AbortSignal): Promise<string> {
  const metadata = Object.entries(said).map(([key, value]) => `${key} ${base64(value)}`);
  const headers = { "upload-length": String(file.size), "upload-metadata": metadata.join(","), "idempotency-key": creation };
  const path = (await ask("POST", PATH, { headers, signal })).header("location");
  keep(file, path);
  void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/datasets"] });
  return path;
}

/** All that is not there yet. Resolves to the data set's id. */
async function send(file: File, path: string, key: number, signal: AbortSignal): Promise<string> {
  let reached: Reached | null = null;
  for (;;) {
    reached = await persevere(key, signal, async () => {
      const from: Reached = reached ?? (await look(path, signal));
      patch(key, { sent: from.offset });
      if (from.offset >= file.size) return from;
      reached = null; // if this fails, the server knows how far it came
      return slice(file, path, from.offset, key, signal);
    });
    if (reached.offset >= file.size) return reached.datasetId;
  }
}

async function look(path: string, signal?: AbortSignal): Promise<Reached> {
  return reachedBy(await ask("HEAD", path, { signal }));
}

async function slice(file: File, path: string, offset: number, key: number, signal: AbortSignal): Promise<Reached> {
  const body = await file.slice(offset, offset + SLICE_BYTES).arrayBuffer().catch(() => {
    throw { status: 400, detail: words().upload.fileChanged };
  });
  const headers = { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) };
  return reachedBy(await ask("PATCH", path, { headers, body, signal, onProgress: (bytes) => patch(key, { sent: offset + bytes, waiting: false }) }));
}

const reachedBy = (answer: Answer): Reached => ({ offset: Number(answer.header("upload-offset")), datasetId: answer.header("upload-dataset-id") });

/** Does it again, after growing delays, for as long as it is the connection's or the server's fault. */
async function persevere<T>(key: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(LONGEST_DELAY_MS, 2 * delay)) {
    try {
      const done = await work();
      patch(key, { waiting: false });
      return done;
    } catch (error) {
      if (signal.aborted || !mayHeal(error)) throw error;
      patch(key, { waiting: true });
      await pause(delay, signal);
    }
  }
}

function mayHeal(error: unknown): boolean {
  const { status, code } = problemOf(error);
  return [0, 408, 423, 429].includes(status) || code === "wrong_offset" || (status >= 500 && status !== 507);
}

/** Ends early when the browser is online again, and when it is stopped. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}

/** One request, after a 401 once more with a fresh token. Throws a problem, or a TypeError where there was no answer. */
async function ask(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const token = await session.token();
  let answer = await exchange(method, path, token, sent);
  if (answer.status === 401 && token) answer = await exchange(method, path, await session.refresh(), sent);
  if (answer.status >= 300) throw { status: answer.status, detail: words().upload.notThere, ...(answer.body as object | null) };
  return answer;
}

/** By XMLHttpRequest, since `fetch` does not say how much it has sent. */
function exchange(method: string, path: string, token: string | null, { headers, body, onProgress, signal }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = (): void => request.abort();
    let watch = setTimeout(abort, STALLED_MS);
    request.upload.addEventListener("progress", (e) => {
      clearTimeout(watch);
      watch = setTimeout(abort, STALLED_MS);
      onProgress?.(e.loaded);
    });
    request.addEventListener("loadend", () => {
      clearTimeout(watch);
      signal?.removeEventListener("abort", abort);
      if (request.status === 0) return reject(new TypeError("no answer"));
      return resolve({ status: request.status, body: request.response as unknown, header: (name) => request.getResponseHeader(name) ?? "" });
    });
    signal?.addEventListener("abort", abort);
    request.open(method, path);
    request.responseType = "json";
    request.setRequestHeader("tus-resumable", "1.0.0");
    if (token) request.setRequestHeader("authorization", `Bearer ${token}`);
    for (const [name, value] of Object.entries(headers ?? {})) request.setRequestHeader(name, value);
    request.send(body ?? null);
    if (signal?.aborted) abort();
  });
}

const base64 = (text: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// --- which file is which upload, for when the page was closed in the middle -------------------------------------------

const fingerprint = (file: File): string => [session.user()?.id, file.name, file.size, file.lastModified].join(":");

function kept(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

function keep(file: File, path: string): void {
  const others = Object.entries(kept()).slice(1 - MOST_KEPT);
  localStorage.setItem(KEPT, JSON.stringify({ ...Object.fromEntries(others), [fingerprint(file)]: path }));
}

function forget(file: File): void {
  const { [fingerprint(file)]: _, ...others } = kept();
  localStorage.setItem(KEPT, JSON.stringify(others));
}

// --- the list ---------------------------------------------------------------------------------------------------------

const put = (added: Upload): void => set([...uploads.get(), added]);

const patch = (key: number, change: Partial<Upload>): void => set(uploads.get().map((u) => (u.key === key ? { ...u, ...change } : u)));

function set(next: Upload[]): void {
  uploads.set(next);
  const running = next.some((u) => u.failure === null);
  if (running) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

const warn = (event: Event): void => event.preventDefault();
