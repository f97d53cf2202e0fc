import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { $api, api, queryClient, unwrap, type Schemas } from "../api/client";
import { problemOf } from "../api/problem";
import { mayEdit, useProjects } from "../lib/projects";
import { answers, type Beside } from "./answers";

/** Something said, with the choices it offers and the job it started or speaks of. */
export type Message = Schemas["ChatMessage"] & Beside;
type Known = { id: string | null; project: string | null; messages: Message[]; draft: Schemas["ChatDraft"] | null; missing: string[] };

export type ConversationView = {
  messages: Message[];
  draft: Schemas["ChatDraft"] | null;
  missing: string[];
  /** Where it is held: chosen before the first thing is said, and then as it is. */
  project: string | undefined;
  choose: ((project: string) => void) | undefined;
  loading: boolean;
  busy: boolean;
  /** What was said and not answered yet, or could not be delivered. */
  unanswered: string | null;
  failure: string | null;
  say: (content: string) => void;
  restart: () => void;
};

const NEW = "new";
const EMPTY: Known = { id: null, project: null, messages: [], draft: null, missing: [] };
const keyOf = (chat: string | undefined) => ["conversation", chat ?? "latest"] as const;

/** The conversation of the address (`?chat=…`): the latest one by default, `new` for none yet. */
export function useConversation(): ConversationView {
  const { chat } = useSearch({ from: "/inside/" });
  const navigate = useNavigate({ from: "/" });
  const stored = useQuery({ queryKey: keyOf(chat), queryFn: () => load(chat), staleTime: 60_000 });
  const known = stored.data ?? EMPTY;

  const projects = useProjects();
  const [chosen, choose] = useState<string>();
  const project = known.project ?? (projects?.find((p) => p.id === chosen) ?? projects?.find(mayEdit) ?? projects?.[0])?.id;

  const send = $api.useMutation("post", "/api/v1/chat/message", {
    onSuccess(answer, { body }) {
      const said: Message = { id: `${answer.message.id}-said`, role: "user", content: body.content, created_at: answer.message.created_at, choices: [], jobId: null };
      const beside = { choices: answer.choices, jobId: answer.job_id ?? null };
      answers.keep(answer.message.id, beside);
      const next: Known = {
        id: answer.conversation_id,
        project: body.project_id ?? known.project,
        messages: [...known.messages, said, { ...answer.message, ...beside }],
        draft: answer.draft,
        missing: answer.missing_fields,
      };
      queryClient.setQueryData(keyOf(chat), next);
      queryClient.setQueryData(keyOf(answer.conversation_id), next);
      if (answer.job_id) void queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/training/jobs"] });
      if (chat !== answer.conversation_id) void navigate({ search: { chat: answer.conversation_id }, replace: true });
    },
  });

  return {
    messages: known.messages,
    draft: known.draft,
    missing: known.missing,
    project,
    choose: known.id === null ? choose : undefined,
    loading: stored.isPending,
    busy: send.isPending,
    unanswered: send.isPending || send.isError ? (send.variables?.body.content ?? null) : null,
    failure: send.error ? problemOf(send.error).detail : stored.error ? problemOf(stored.error).detail : null,
    say: (content) => send.mutate({ body: { content, ...(known.id ? { conversation_id: known.id } : project && { project_id: project }) } }),
    restart() {
      send.reset();
      queryClient.setQueryData(keyOf(NEW), EMPTY);
      void navigate({ search: { chat: NEW } });
    },
  };
}

async function load(chat: string | undefined): Promise<Known> {
  if (chat === NEW) return EMPTY;
  const conversation = chat
    ? await unwrap(api.GET("/api/v1/chat/conversations/{conversation_id}", { params: { path: { conversation_id: chat } } }))
    : (await unwrap(api.GET("/api/v1/chat/conversations", { params: { query: { limit: 1 } } }))).items[0];
  if (!conversation) return EMPTY;
  const { id, project_id: project, draft, choices, missing_fields: missing } = conversation;
  const messages = conversation.messages.map((message, i, all) => ({ ...message, ...answers.of(message.id), ...(i === all.length - 1 && { choices }) }));
  return { id, project, draft, missing, messages };
}
