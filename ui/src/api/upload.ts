import { useSyncExternalStore } from "react";
import { createStore } from "../lib/store";
import { words } from "../words";
import { queryClient, type Schemas } from "./client";
import { problemOf } from "./problem";
import { session } from "./session";

export type Upload = {
  key: number;
  name: string;
  size: number;
  sent: number;
  /** What went wrong, said when it is shown. */
  failure: (() => string) | null;
  cancel: () => void;
};

const uploads = createStore<Upload[]>([]);
let keys = 0;

export const useUploads = (): Upload[] => useSyncExternalStore(uploads.subscribe, uploads.get);

/** Uploads an archive; goes on while one looks at other pages. Resolves to the data set's id, or null if it came to nothing. */
export async function upload(file: File, name: string): Promise<string | null> {
  const token = await session.token();
  const request = new XMLHttpRequest();
  const key = ++keys;
  put({ key, name, size: file.size, sent: 0, failure: null, cancel: () => request.abort() });
  return new Promise((resolve) => {
    const fail = (failure: () => string): void => {
      patch(key, { failure });
      resolve(null);
    };
    request.upload.addEventListener("progress", (e) => patch(key, { sent: e.loaded }));
    request.addEventListener("error", () => fail(() => words().upload.broke));
    request.addEventListener("abort", () => {
      dismiss(key);
      resolve(null);
    });
    request.addEventListener("load", () => {
      const answer: unknown = request.response;
      if (request.status >= 300) return fail(() => problemOf(answer).detail);
      dismiss(key);
      void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/datasets"] });
      return resolve((answer as Schemas["UploadAccepted"]).id);
    });
    const form = new FormData();
    // The name first: a server that reads as it comes then knows it before the bytes.
    form.append("name", name);
    form.append("format", "auto");
    form.append("file", file);
    request.open("POST", "/api/v1/datasets/upload");
    request.responseType = "json";
    if (token) request.setRequestHeader("authorization", `Bearer ${token}`);
    request.send(form);
  });
}

export const dismiss = (key: number): void => set(uploads.get().filter((u) => u.key !== key));

const put = (added: Upload): void => set([...uploads.get(), added]);

const patch = (key: number, change: Partial<Upload>): void => set(uploads.get().map((u) => (u.key === key ? { ...u, ...change } : u)));

function set(next: Upload[]): void {
  uploads.set(next);
  const running = next.some((u) => u.failure === null);
  if (running) addEventListener("beforeunload", warn);
  else removeEventListener("beforeunload", warn);
}

const warn = (event: Event): void => event.preventDefault();
