import { expect, test } from "vitest";
import { receive, startingAt, type JobEvent, type Stream } from "./stream";

const event = (seq: number, type = "progress", data = {}): JobEvent => ({ seq, type, time: "2026-01-01T00:00:00Z", data });

/** Applies messages in order; what was applied, and where a replay was asked for. */
function read(stream: Stream, messages: JobEvent[]): { applied: number[]; resyncs: number; stream: Stream } {
  const applied: number[] = [];
  let resyncs = 0;
  for (const message of messages) {
    const reception = receive(stream, message);
    stream = reception.stream;
    if (reception.apply) applied.push(reception.apply.seq);
    if (reception.resync) resyncs += 1;
  }
  return { applied, resyncs, stream };
}

test("events are applied in order", () => {
  expect(read(startingAt(4), [event(5), event(6), event(7)]).applied).toEqual([5, 6, 7]);
});

test("doubles of a replay are dropped", () => {
  expect(read(startingAt(4), [event(3), event(4), event(5), event(5), event(4), event(6)]).applied).toEqual([5, 6]);
});

test("a gap asks for a replay and applies nothing after it", () => {
  const { applied, resyncs, stream } = read(startingAt(0), [event(1), event(3), event(4)]);
  expect(applied).toEqual([1]);
  expect(resyncs).toBe(2);
  expect(stream.last).toBe(1);
});

test("after the replay that a gap asked for, reading goes on where it stood", () => {
  const { stream } = read(startingAt(0), [event(1), event(3)]);
  expect(read(startingAt(stream.last), [event(2), event(3), event(4)]).applied).toEqual([2, 3, 4]);
});

test("a hole the server itself has does not stop the reader for ever", () => {
  expect(read(startingAt(1), [event(3), event(4)])).toMatchObject({ applied: [3, 4], resyncs: 0 });
});

test("a sync that names a later event asks for a replay", () => {
  expect(read(startingAt(2), [event(3), event(0, "sync", { seq: 3 })]).resyncs).toBe(0);
  expect(read(startingAt(2), [event(3), event(0, "sync", { seq: 5 })]).resyncs).toBe(1);
});

test("the end is remembered and is no event of its own", () => {
  expect(read(startingAt(2), [event(0, "end", { state: "completed" })])).toMatchObject({ applied: [], stream: { ended: true } });
});
