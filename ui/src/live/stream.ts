import type { Schemas } from "../api/client";

export type JobEvent = Schemas["JobEvent"];

/** Where a reader of a job's events stands. */
export type Stream = {
  /** The last event that was applied. */
  last: number;
  /** Just connected: the server replays from `last`, so what comes first is next, whatever its number. */
  replaying: boolean;
  ended: boolean;
};

export type Reception = { stream: Stream; apply: JobEvent | null; resync: boolean };

export const startingAt = (seq: number): Stream => ({ last: seq, replaying: true, ended: false });

/** Takes one message: applies what is next, drops doubles, and asks for a replay where something is missing. */
export function receive(stream: Stream, message: JobEvent): Reception {
  if (message.type === "end") return { stream: { ...stream, ended: true }, apply: null, resync: false };
  if (message.type === "sync") {
    const missed = Number(message.data.seq) > stream.last;
    return { stream: { ...stream, replaying: false }, apply: null, resync: missed };
  }
  if (message.seq <= stream.last) return { stream, apply: null, resync: false };
  if (message.seq > stream.last + 1 && !stream.replaying) return { stream, apply: null, resync: true };
  return { stream: { ...stream, last: message.seq, replaying: false }, apply: message, resync: false };
}
