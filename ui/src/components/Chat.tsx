import "./Chat.css";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { $api } from "../api/client";
import type { ConversationView, Message } from "../live/use-conversation";
import { Prose } from "./Prose";
import { Callout, Skeleton } from "./states";

/** One says what to train; the answers ask for what is missing. */
export function Chat({ conversation }: { conversation: ConversationView }) {
  const { messages, busy, failure, unanswered, loading, say } = conversation;
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [messages.length, busy]);
  return (
    <section className="panel chat" aria-label="Chat">
      <div className="chat-head">
        <h2>Chat</h2>
        {messages.length > 0 && (
          <Button size="compact-sm" variant="subtle" onClick={conversation.restart}>
            New conversation
          </Button>
        )}
      </div>
      <div ref={log} className="chat-log" role="log" aria-live="polite" tabIndex={0}>
        {loading && <Skeleton height={120} label="Loading the conversation" />}
        {!loading && messages.length === 0 && !unanswered && <Welcome say={say} />}
        {messages.map((message, i) => (
          <Said key={message.id} message={message} open={i === messages.length - 1 && !busy} say={say} />
        ))}
        {unanswered !== null && (
          <div className="said" data-role="user" data-waiting={busy}>
            <p>{unanswered}</p>
          </div>
        )}
        {busy && (
          <div className="said dim pulse" data-role="assistant">
            …
          </div>
        )}
      </div>
      <div className="chat-foot">
        {failure && (
          <Callout
            tone="bad"
            title={failure}
            action={
              unanswered !== null && (
                <Button size="xs" variant="default" onClick={() => say(unanswered)}>
                  Say it again
                </Button>
              )
            }
          />
        )}
        <Composer busy={busy} say={say} />
      </div>
    </section>
  );
}

/** The choices stay readable with what they answer; only the last ones may still be taken. */
function Said({ message, open, say }: { message: Message; open: boolean; say: (content: string) => void }) {
  const { role, content, choices, jobId } = message;
  return (
    <div className="said" data-role={role}>
      <span className="visually-hidden">{role === "user" ? "You said:" : "VisionAI said:"}</span>
      {role === "user" ? <p>{content}</p> : <Prose text={content} />}
      {choices.length > 0 && (
        <div className="chips" role="group" aria-label="Answers">
          {choices.map((choice) => (
            <button key={choice.value} type="button" className="chip" disabled={!open} onClick={() => say(choice.value)}>
              {choice.label}
            </button>
          ))}
        </div>
      )}
      {jobId && (
        <Button component={Link} to="/jobs/$jobId" params={{ jobId } as never} variant={open ? "filled" : "default"}>
          Watch the training
        </Button>
      )}
    </div>
  );
}

function Composer({ busy, say }: { busy: boolean; say: (content: string) => void }) {
  const [text, setText] = useState("");
  const send = (): void => {
    if (busy || text.trim() === "") return;
    say(text.trim());
    setText("");
  };
  const key = (event: KeyboardEvent): void => {
    // While an input method composes (Korean, Japanese), Enter ends the composition.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        className="chat-input"
        rows={1}
        aria-label="Message"
        placeholder="What do you want to train?"
        maxLength={8000}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={key}
      />
      <Button type="submit" size="md" disabled={text.trim() === ""} loading={busy}>
        Send
      </Button>
    </form>
  );
}

function Welcome({ say }: { say: (content: string) => void }) {
  const datasets = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: 200 } } });
  if (!datasets.data) return null;
  const ready = datasets.data.items.find((d) => d.status === "ready");
  const example = ready && `Train test_resnet on ${ready.name} for 3 epochs`;
  return (
    <div className="chat-welcome">
      <p className="big">Say what to train. Watch it learn. Keep the model.</p>
      {example ? (
        <>
          <p className="dim">Name a data set, a model and how long. What you leave out, you are asked for.</p>
          <div className="chips">
            <button type="button" className="chip" onClick={() => say(example)}>
              {example}
            </button>
            <button type="button" className="chip" onClick={() => say("help")}>
              What can I say?
            </button>
          </div>
        </>
      ) : (
        <ol>
          <li>
            <span>
              <Link to="/datasets">Add a data set</Link>: a zip with one folder of images for each class.
            </span>
          </li>
          <li>
            <span>Say here what to train on it.</span>
          </li>
          <li>
            <span>Watch the curves, download the model.</span>
          </li>
        </ol>
      )}
    </div>
  );
}
