import { receive, startingAt, type JobEvent } from "./stream";

export type Connection = "connecting" | "live" | "lost" | "ended";
type Handlers = { onEvents: (events: JobEvent[]) => void; onConnection: (connection: Connection) => void };

const FLUSH_MS = 60;
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 10_000;
/** The server says where it stands every 5 s: a socket silent for three times that is dead. */
const SILENCE_MS = 15_000;

/**
 * Follows a job's events from `since` until it ends, over as many sockets as that takes.
 * `url` makes each socket's address (with a fresh ticket). Events arrive once each, in order, some at a time.
 */
export function follow(since: number, url: (since: number) => Promise<string>, handlers: Handlers): () => void {
  let stream = startingAt(since);
  let socket: WebSocket | null = null;
  let failures = 0;
  let stopped = false;
  let pending: JobEvent[] = [];
  let [retry, silence, flushing]: (ReturnType<typeof setTimeout> | undefined)[] = [];

  const flush = (): void => {
    flushing = undefined;
    const events = pending;
    pending = [];
    if (events.length) handlers.onEvents(events);
  };

  const listen = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => reconnect(0), SILENCE_MS);
  };

  const take = (message: JobEvent): void => {
    listen();
    const reception = receive(stream, message);
    stream = reception.stream;
    if (reception.apply) {
      failures = 0;
      pending.push(reception.apply);
      flushing ??= setTimeout(flush, FLUSH_MS);
    }
    if (reception.resync) reconnect(FIRST_DELAY_MS);
    if (stream.ended) finish();
  };

  const finish = (): void => {
    stop();
    flush();
    handlers.onConnection("ended");
  };

  const reconnect = (delay: number): void => {
    clearTimeout(silence);
    clearTimeout(retry);
    detach(socket);
    socket = null;
    if (stopped) return;
    retry = setTimeout(() => void connect(), delay);
  };

  const lose = (): void => {
    handlers.onConnection("lost");
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
    failures += 1;
    reconnect(delay * (0.75 + Math.random() / 2));
  };

  const connect = async (): Promise<void> => {
    try {
      const address = await url(stream.last);
      if (stopped) return;
      stream = startingAt(stream.last);
      const opened = new WebSocket(address);
      socket = opened;
      opened.addEventListener("open", () => {
        listen();
        handlers.onConnection("live");
      });
      opened.addEventListener("message", (e: MessageEvent<string>) => take(JSON.parse(e.data) as JobEvent));
      opened.addEventListener("close", () => socket === opened && lose());
    } catch {
      if (!stopped) lose();
    }
  };

  const stop = (): void => {
    stopped = true;
    for (const timer of [retry, silence, flushing]) clearTimeout(timer);
    removeEventListener("online", online);
    detach(socket);
    socket = null;
  };

  const online = (): void => {
    if (!socket) reconnect(0);
  };

  addEventListener("online", online);
  handlers.onConnection("connecting");
  void connect();
  return stop;
}

function detach(socket: WebSocket | null): void {
  // Closing one that is still opening logs an error in some browsers: let it open first.
  if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener("open", () => socket.close());
  else socket?.close();
}
