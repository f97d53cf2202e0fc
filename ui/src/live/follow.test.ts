import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { follow, type Connection } from "./follow";

class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static all: FakeSocket[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeSocket.all.push(this);
    queueMicrotask(() => this.dispatchEvent(new Event("open")));
  }
  close(): void {
    this.readyState = 3;
  }
  drop(): void {
    this.dispatchEvent(new Event("close"));
  }
  send(seq: number, type = "epoch", data = {}): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify({ seq, type, time: "", data }) }));
  }
}

let seen: number[];
let connections: Connection[];
const start = (since: number): (() => void) =>
  follow(since, async (from) => `ws://x/?since=${from}`, {
    onEvents: (events) => seen.push(...events.map((e) => e.seq)),
    onConnection: (c) => connections.push(c),
  });
const latest = (): FakeSocket => FakeSocket.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  seen = [];
  connections = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("comes back after a lost connection, from the last event it applied", async () => {
  const stop = start(7);
  await vi.advanceTimersByTimeAsync(1);
  expect(latest().url).toBe("ws://x/?since=7");
  latest().send(8);
  latest().send(9);
  latest().drop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(latest().url).toBe("ws://x/?since=9");
  latest().send(9);
  latest().send(10);
  await vi.advanceTimersByTimeAsync(100);
  expect(seen).toEqual([8, 9, 10]);
  expect(connections).toEqual(["connecting", "live", "lost", "live"]);
  stop();
});

test("a gap makes it ask for a replay", async () => {
  const stop = start(0);
  await vi.advanceTimersByTimeAsync(1);
  latest().send(1);
  latest().send(3);
  await vi.advanceTimersByTimeAsync(1000);
  expect(FakeSocket.all.map((s) => s.url)).toEqual(["ws://x/?since=0", "ws://x/?since=1"]);
  latest().send(2);
  latest().send(3);
  await vi.advanceTimersByTimeAsync(100);
  expect(seen).toEqual([1, 2, 3]);
  stop();
});

test("a socket that says nothing is taken for dead", async () => {
  const stop = start(0);
  await vi.advanceTimersByTimeAsync(16_000);
  expect(FakeSocket.all).toHaveLength(2);
  stop();
});

test("ends with the job and connects no more", async () => {
  start(0);
  await vi.advanceTimersByTimeAsync(1);
  latest().send(1);
  latest().send(0, "end", { state: "completed" });
  latest().drop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual([1]);
  expect(connections.at(-1)).toBe("ended");
  expect(FakeSocket.all).toHaveLength(1);
});
