import "./Chat.css";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { $api } from "../api/client";
import type { ConversationView, Message } from "../live/use-conversation";
import { useProjectName, useProjects } from "../lib/projects";
import { useWords } from "../words";
import { ProjectChooser } from "./ProjectChooser";
import { Prose } from "./Prose";
import { Callout, Skeleton } from "./states";

/** One says what to train; the answers ask for what is missing. */
export function Chat({ conversation }: { conversation: ConversationView }) {
  const t = useWords();
  const { messages, busy, failure, unanswered, loading, say } = conversation;
  const projects = useProjects() ?? [];
  const project = useProjectName(conversation.project ?? "");
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (log.current) log.current.scrollTop = log.current.scrollHeight;
  }, [messages.length, busy]);
  return (
    <section className="panel chat" aria-label={t.chat.title}>
      <div className="chat-head">
        <h2>
          {t.chat.title}
          {!conversation.choose && project !== null && <span className="small dim"> · {project}</span>}
        </h2>
        {messages.length > 0 && (
          <Button size="compact-sm" variant="subtle" onClick={conversation.restart}>
            {t.chat.restart}
          </Button>
        )}
      </div>
      <div ref={log} className="chat-log" role="log" aria-live="polite" tabIndex={0}>
        {loading && <Skeleton height={120} label={t.chat.loading} />}
        {!loading && messages.length === 0 && !unanswered && <Welcome project={conversation.project} say={say} />}
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
                  {t.chat.sayAgain}
                </Button>
              )
            }
          />
        )}
        {conversation.choose && messages.length === 0 && <ProjectChooser label={t.chat.project} shown projects={projects} value={conversation.project ?? ""} onChange={conversation.choose} />}
        <Composer busy={busy} say={say} />
      </div>
    </section>
  );
}

/** The choices stay readable with what they answer; only the last ones may still be taken. */
function Said({ message, open, say }: { message: Message; open: boolean; say: (content: string) => void }) {
  const t = useWords();
  const { role, content, choices, jobId } = message;
  return (
    <div className="said" data-role={role}>
      <span className="visually-hidden">{role === "user" ? t.chat.youSaid : t.chat.answered}</span>
      {role === "user" ? <p>{content}</p> : <Prose text={content} />}
      {choices.length > 0 && (
        <div className="chips" role="group" aria-label={t.chat.answers}>
          {choices.map((choice) => (
            <button key={choice.value} type="button" className="chip" disabled={!open} onClick={() => say(choice.value)}>
              {choice.label}
            </button>
          ))}
        </div>
      )}
      {jobId && (
        <Button component={Link} to="/jobs/$jobId" params={{ jobId } as never} variant={open ? "filled" : "default"}>
          {t.chat.watch}
        </Button>
      )}
    </div>
  );
}

function Composer({ busy, say }: { busy: boolean; say: (content: string) => void }) {
  const t = useWords();
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
        aria-label={t.chat.message}
        placeholder={t.chat.placeholder}
        maxLength={8000}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={key}
      />
      <Button type="submit" size="md" disabled={text.trim() === ""} loading={busy}>
        {t.chat.send}
      </Button>
    </form>
  );
}

function Welcome({ project, say }: { project: string | undefined; say: (content: string) => void }) {
  const t = useWords();
  const newest = $api.useQuery("get", "/api/v1/datasets", { params: { query: { limit: 1, status: "ready", ...(project && { project_id: project }) } } });
  if (!newest.data) return null;
  const ready = project === undefined ? undefined : newest.data.items[0];
  const example = ready && t.chat.sayExample({ dataset: ready.name });
  return (
    <div className="chat-welcome">
      <p className="big">{t.slogan}</p>
      {example ? (
        <>
          <p className="dim">{t.chat.help}</p>
          <div className="chips">
            <button type="button" className="chip" onClick={() => say(example)}>
              {example}
            </button>
            <button type="button" className="chip" onClick={() => say(t.chat.sayHelp)}>
              {t.chat.whatCanISay}
            </button>
          </div>
        </>
      ) : (
        <ol>
          <li>
            <span>{t.chat.addDataset({ link: toDatasets })}</span>
          </li>
          <li>
            <span>{t.chat.sayHere}</span>
          </li>
          <li>
            <span>{t.chat.watchCurves}</span>
          </li>
        </ol>
      )}
    </div>
  );
}

const toDatasets = (text: string) => <Link to="/datasets">{text}</Link>;
